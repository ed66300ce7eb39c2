"""Models as vLLM's configuration code sees them: a config.json of some kind, a tokenizer, and no weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

_TEXT: dict[str, Any] = {
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 131072,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "dtype": "bfloat16",
}
_EXPERTS = {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768}
_LATENT = {
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "head_dim": 64,
    "num_key_value_heads": 32,
    "n_routed_experts": 64,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 1024,
    "n_group": 8,
    "topk_group": 4,
    "first_k_dense_replace": 3,
    "num_nextn_predict_layers": 1,
}
_GATED_DELTA = {
    "full_attention_interval": 4,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "dense": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"},
    "awq": {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
    },
    "fp8": {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "quantization_config": {"quant_method": "fp8", "activation_scheme": "dynamic"},
    },
    "moe": {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", **_EXPERTS},
    "latent": {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", **_LATENT},
    "sparse": {
        "architectures": ["DeepseekV32ForCausalLM"],
        "model_type": "deepseek_v32",
        **_LATENT,
        "index_n_heads": 64,
        "index_head_dim": 128,
        "index_topk": 2048,
    },
    "hybrid": {
        "architectures": ["Qwen3NextForCausalLM"],
        "model_type": "qwen3_next",
        **_EXPERTS,
        **_GATED_DELTA,
        "shared_expert_intermediate_size": 512,
    },
    "mamba": {
        "architectures": ["Mamba2ForCausalLM"],
        "model_type": "mamba2",
        "num_heads": 128,
        "head_dim": 64,
        "state_size": 128,
        "n_groups": 8,
        "expand": 2,
    },
    "pictures": {
        "architectures": ["PaliGemmaForConditionalGeneration"],
        "model_type": "paligemma",
        "text_config": {"model_type": "gemma", **_TEXT},
        "vision_config": {"model_type": "siglip_vision_model", "num_image_tokens": 256},
        "image_token_index": 7,
    },
    "encoder": {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "max_position_embeddings": 512,
        "vocab_size": 30522,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
    },
    "drafter": {
        "architectures": ["LlamaForCausalLMEagle3"],
        "model_type": "llama",
        "num_hidden_layers": 1,
        "draft_vocab_size": 32000,
    },
}


def make_models(folder: Path, tokenizer: Path) -> None:
    """Write every kind of model to a folder of its own; the tokenizer is copied from another model."""
    for kind, config in CONFIGS.items():
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(tokenizer / file, place / file)
        (place / "config.json").write_text(json.dumps({**_TEXT, **config}), encoding="utf-8")
    for name in ("logging.json", "other.json"):
        (folder / name).write_text(json.dumps({"version": 1}), encoding="utf-8")
    for name in ("parser.py", "other.py"):
        (folder / name).touch()
