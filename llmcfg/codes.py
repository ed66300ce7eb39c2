"""Every diagnostic code, declared once: title, explanation and an example that provokes it."""

from __future__ import annotations

from typing import NamedTuple

from llmcfg.diagnostics import ERROR, INFO, WARNING


class Code(NamedTuple):
    """A diagnostic code as `llmcfg explain`, the docs and reports show it; ``severity`` is the usual one."""

    title: str
    explanation: str
    example: str
    severity: str = ERROR


CODES: dict[str, Code] = {
    "L001": Code(
        "unreadable file",
        "The path cannot be read as a config: it does not exist, is not a regular file, or may not be "
        "opened.",
        "$ llmcfg validate missing.yaml",
    ),
    "L002": Code(
        "not valid text",
        "The bytes are not UTF-8, or hold characters that YAML readers disagree about.",
        "$ printf 'model: \\377\\n' | llmcfg validate -",
    ),
    "L003": Code(
        "YAML syntax",
        "The text is not well-formed YAML. The place is where the reader gave up; the mistake may "
        "be a little earlier.",
        "model: m\nvllm: {engine: {dtype: auto}",
    ),
    "L004": Code(
        "duplicate key",
        "The same key stands twice in one mapping. Most YAML readers keep the last one silently.",
        "model: a\nmodel: b\nvllm: {}",
    ),
    "L005": Code(
        "unsupported YAML",
        "Tags, merge keys, several documents, keys that are not strings, and aliases beyond a budget "
        "are refused: they mean different things to different readers.",
        "model: m\ncommon: &common {dtype: auto}\nvllm: {engine: {<<: *common}}",
    ),
    "L006": Code(
        "ambiguous or unsupported scalar",
        "The value is read differently by different YAML readers, or no engine can take it: NaN, "
        "infinity, integers beyond 64 bits, leading zeros.",
        "model: m\nvllm: {engine: {gpu_memory_utilization: .nan}}",
    ),
    "L007": Code(
        "empty config",
        "The document holds nothing, or is not a mapping of keys to values.",
        "# only a comment",
    ),
    "L008": Code(
        "too large or too deep",
        "The file exceeds the reader's budget of bytes, or the document that of nesting, values or aliases.",
        "$ printf '[%.0s' {1..100} | llmcfg validate -",
    ),
    "L101": Code(
        "unknown key",
        "The schema knows no such key at this place, and the engine would refuse it or drop it. "
        "Where the engine does take it, put it into the `extra` mapping of the same section.",
        "model: m\nvllm: {engine: {max_num_seq: 8}}",
    ),
    "L102": Code(
        "wrong type",
        "The value is not of a type that the parameter takes.",
        "model: m\nvllm: {engine: {max_num_seqs: many}}",
    ),
    "L103": Code(
        "value not allowed",
        "The parameter takes one of a fixed set of values, or a text of a certain form.",
        "model: m\nvllm: {engine: {dtype: bf16}}",
    ),
    "L104": Code("missing key", "A key that the engine cannot do without is absent.", "vllm: {}"),
    "L105": Code(
        "out of range",
        "The number, or the length of the list or text, is outside what the engine takes.",
        "model: m\nvllm: {engine: {tensor_parallel_size: 0}}",
    ),
    "L106": Code(
        "repeated item",
        "The list may hold each value once.",
        "model: m\nvllm: {engine: {offload_group_size: 2, offload_params: [a, b, a]}}",
    ),
    "L110": Code(
        "no backend",
        "The config names no backend and holds no backend's section, so there is nothing to compile.",
        "model: m",
    ),
    "L201": Code(
        "parameters contradict each other",
        "A rule of the engine over several parameters is broken: the engine would refuse the config "
        "(error), or change or ignore a value (warning). The rule's own id is shown with it.",
        "model: m\nvllm: {sampling: {min_tokens: 10, max_tokens: 5}}",
    ),
    "L301": Code(
        "not for this GPU",
        "The value needs hardware that the chosen GPU lacks.",
        "model: m\ngpu: a100\nvllm: {engine: {attention_backend: FLASH_ATTN_MLA}}",
    ),
    "L302": Code(
        "slower path on this GPU",
        "The chosen GPU has no native support: the engine takes the value through a slower path.",
        "model: m\ngpu: a100\nvllm: {engine: {quantization: fp8}}",
        WARNING,
    ),
    "L303": Code(
        "unknown GPU",
        "The name is not in the table of GPUs; `llmcfg gpus` lists it.",
        "model: m\ngpu: h1000\nvllm: {}",
    ),
    "L304": Code(
        "no effect on this GPU",
        "The engine takes the value on the chosen GPU and does nothing with it, or uses something else.",
        "model: m\ngpu: none\nvllm: {engine: {attention_backend: FLASH_ATTN}}",
        WARNING,
    ),
    "L401": Code(
        "not yet in this version",
        "The parameter or value came with a later release of the engine than the one asked for.",
        "$ llmcfg validate --backend vllm --backend-version 0.32.0 config.yaml\n"
        "\n"
        "model: m\n"
        "vllm: {engine: {watchdog_config: {}}}",
    ),
    "L402": Code(
        "no longer in this version",
        "The parameter or value was removed before the release asked for.",
        "$ llmcfg validate --backend vllm --backend-version 0.33.0 config.yaml\n"
        "\n"
        "model: m\n"
        "vllm: {engine: {spec_method: medusa, spec_tokens: 3, spec_model: d}}",
    ),
    "L403": Code(
        "version not audited",
        "The schema was audited against other releases; what it says of this one is extrapolated.",
        "$ llmcfg validate --backend vllm --backend-version 0.99.0 config.yaml\n\nmodel: m\nvllm: {}",
        WARNING,
    ),
    "L404": Code(
        "deprecated",
        "The engine still takes it, and warns that a later release will not.",
        "model: m\npytorch: {load: {tp_plan: auto}}",
        WARNING,
    ),
    "L405": Code(
        "one version for several backends",
        "`--backend-version` is the release of one engine, and the config holds sections of several. Name "
        "the one that is meant with `--backend`. The file was checked against the reference releases.",
        "$ llmcfg validate --backend-version 0.33.0 config.yaml\n\nmodel: m\nvllm: {}\npytorch: {}",
    ),
    "L501": Code(
        "extra overrides a typed value",
        "`extra` is merged last, so its value wins over the one written in the section, or over `model`.",
        "model: m\nvllm: {engine: {dtype: auto, extra: {dtype: half}}}",
        WARNING,
    ),
    "L502": Code(
        "extra holds a modelled key",
        "The schema knows this key: written in the section itself it would be checked.",
        "model: m\nvllm: {engine: {extra: {dtype: auto}}}",
        INFO,
    ),
    "L503": Code(
        "extra key looks like a typo",
        "The key is passed on as it is; a modelled key has almost the same name.",
        "model: m\nvllm: {engine: {extra: {max_num_seq: 8}}}",
        INFO,
    ),
    "L504": Code(
        "format cannot carry a value",
        "The output format has no form that the engine would read back as the same value.",
        "$ llmcfg compile --format argv config.yaml\n\nmodel: m\npytorch: {}",
    ),
    "L505": Code(
        "not part of this format",
        "The format is read by a server, which takes these values from somewhere else (for example "
        "sampling parameters, which travel with each request).",
        "$ llmcfg compile --format argv config.yaml\n\nmodel: m\nvllm: {sampling: {temperature: 0.5}}",
        WARNING,
    ),
    "L506": Code(
        "engine not installed",
        "Building the native objects, or asking for the GPU, needs a package that is not installed.",
        "$ llmcfg resolve config.yaml\n\nmodel: m\nvllm: {}",
    ),
    "L601": Code(
        "the engine refuses",
        "The engine's own code, or the rules that stand in for it, refuses the config on this machine. The "
        "place is that of the parameter without which it accepts, else of the one that it names.",
        "$ llmcfg resolve --gpu h100 config.yaml\n\nmodel: m\nvllm: {engine: {max_model_len: 100000000}}",
    ),
    "L602": Code(
        "the engine alters a value",
        "The engine takes the value and holds another one in the end. The hint gives the reason as the "
        "engine says it, else as the schema's rules do, and other parameters without which it would not.",
        "$ llmcfg resolve --gpu h100 config.yaml\n\nmodel: m\nvllm: {sampling: {temperature: 0.001}}",
        WARNING,
    ),
    "L603": Code(
        "the engine warns",
        "The engine says this about the config, and does not say it of one with nothing but the model.",
        "$ llmcfg resolve --gpu h100 config.yaml\n\nmodel: m\nvllm: {engine: {enforce_eager: true}}",
        WARNING,
    ),
    "L604": Code(
        "nobody can answer",
        "The engine asked the device, or a compiled kernel, for something that is in no table. What "
        "follows from it is not known: this is no pass.",
        "$ llmcfg resolve --gpu h100 --packages bitsandbytes config.yaml\n"
        "\n"
        "model: m\n"
        "pytorch: {quantization: {method: bitsandbytes, load_in_4bit: true}}",
        WARNING,
    ),
    "L605": Code(
        "another model stands in",
        "The model's `config.json` was not found, so a model of a common shape was taken in its place. What "
        "depends on the shape (dtype, head sizes, limits of length) may differ.",
        "$ llmcfg resolve --gpu h100 config.yaml\n\nmodel: nobody/has-this-model\ntensorrt_llm: {}",
        INFO,
    ),
    "L606": Code(
        "the engine failed",
        "The engine's process could not be started, or ended before it answered.",
        "$ llmcfg resolve config.yaml\n\nmodel: m\nvllm: {}",
    ),
    "L607": Code(
        "no answer in time",
        "The engine did not answer within `--timeout` seconds, and was ended.",
        "$ llmcfg resolve --timeout 0.01 config.yaml\n\nmodel: m\nvllm: {}",
    ),
    "L608": Code(
        "another version answers",
        "The installed engine, which answers, is another release than the one that `--backend-version` "
        "names, or than the reference of the schema.",
        "$ llmcfg resolve --backend-version 0.32.0 config.yaml\n\nmodel: m\nvllm: {}",
        WARNING,
    ),
    "L701": Code(
        "runs code",
        "The parameter names or allows code that is not the engine's own: code of the model's repository, a "
        "plugin, a class by its import path. Whoever wrote the config decides what runs.",
        "model: m\nvllm: {engine: {trust_remote_code: true}}",
        INFO,
    ),
    "L702": Code(
        "holds a secret",
        "The value is a token or a key. llmcfg shows it in no report, no excerpt and no explanation; the "
        "compiled config carries it, since the engine needs it.",
        "model: m\npytorch: {load: {token: hf_example}}",
        INFO,
    ),
}
