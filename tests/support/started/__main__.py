"""Start vLLM in its ordinary way, with the engine in processes of its own, and print what values became."""

from __future__ import annotations

import json
import sys
from operator import attrgetter


def main() -> None:
    """Take the native config and dotted names of attributes; the last line holds their values by name."""
    from vllm import LLM

    config = LLM(**json.loads(sys.argv[1])).llm_engine.vllm_config
    print(json.dumps({name: attrgetter(name)(config) for name in sys.argv[2:]}, default=str))


if __name__ == "__main__":
    main()
