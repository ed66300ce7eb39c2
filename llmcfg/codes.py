"""Every diagnostic code, declared once: title, explanation and an example that provokes it."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A diagnostic code as `llmcfg explain` and the docs show it."""

    title: str
    explanation: str
    example: str


CODES: dict[str, Code] = {
    "L001": Code(
        "unreadable file",
        "The path cannot be read as a config: it does not exist, is not a regular file, or may not be "
        "opened.",
        "llmcfg compile missing.yaml",
    ),
    "L002": Code(
        "not valid text",
        "The bytes are not UTF-8, or hold characters that YAML readers disagree about.",
        "model: \\xff",
    ),
    "L003": Code(
        "YAML syntax",
        "The text is not well-formed YAML. The place is where the reader gave up; the mistake may "
        "be a little earlier.",
        "vllm: {engine: ",
    ),
    "L004": Code(
        "duplicate key",
        "The same key stands twice in one mapping. Most YAML readers keep the last one silently.",
        "model: a\nmodel: b",
    ),
    "L005": Code(
        "unsupported YAML",
        "Tags, merge keys, several documents, keys that are not strings, and aliases beyond a budget "
        "are refused: they mean different things to different readers.",
        "vllm: {<<: *base}",
    ),
    "L006": Code(
        "ambiguous or unsupported scalar",
        "The value is read differently by different YAML readers, or no engine can take it: NaN, "
        "infinity, integers beyond 64 bits, leading zeros.",
        "gpu_memory_utilization: .nan",
    ),
    "L007": Code(
        "empty config",
        "The document holds nothing, or is not a mapping of keys to values.",
        "# only a comment",
    ),
    "L008": Code(
        "too large or too deep",
        "The file exceeds the reader's budget of bytes, or the document that of nesting, values or aliases.",
        "a: [[[[…]]]]",
    ),
    "L101": Code(
        "unknown key",
        "The schema knows no such key at this place, and the engine would refuse it or drop it. "
        "Where the engine does take it, put it into the `extra` mapping of the same section.",
        "vllm: {engine: {max_num_seq: 8}}",
    ),
    "L102": Code(
        "wrong type",
        "The value is not of a type that the parameter takes.",
        "vllm: {engine: {max_num_seqs: many}}",
    ),
    "L103": Code(
        "value not allowed",
        "The parameter takes one of a fixed set of values, or a text of a certain form.",
        "vllm: {engine: {dtype: bf16}}",
    ),
    "L104": Code("missing key", "A key that the engine cannot do without is absent.", "vllm: {}"),
    "L105": Code(
        "out of range",
        "The number, or the length of the list or text, is outside what the engine takes.",
        "vllm: {engine: {tensor_parallel_size: 0}}",
    ),
    "L106": Code(
        "repeated item",
        "The list may hold each value once.",
        "vllm: {engine: {cpu_offload_params: [a, a]}}",
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
        "vllm: {engine: {speculative_config: {method: ngram}, spec_method: ngram}}",
    ),
    "L301": Code(
        "not for this GPU",
        "The value needs hardware that the chosen GPU lacks.",
        "gpu: a100\nvllm: {engine: {attention_backend: FLASH_ATTN_MLA}}",
    ),
    "L302": Code(
        "slower path on this GPU",
        "The chosen GPU has no native support: the engine takes the value through a slower path.",
        "gpu: a100\nvllm: {engine: {quantization: fp8}}",
    ),
    "L303": Code(
        "unknown GPU",
        "The name is not in the table of GPUs; `llmcfg gpus` lists it.",
        "gpu: h1000",
    ),
    "L304": Code(
        "no effect on this GPU",
        "The engine takes the value on the chosen GPU and does nothing with it, or uses something else.",
        "gpu: none\nvllm: {engine: {attention_backend: FLASH_ATTN}}",
    ),
    "L401": Code(
        "not yet in this version",
        "The parameter or value came with a later release of the engine than the one asked for.",
        "llmcfg compile --backend-version 0.32.0",
    ),
    "L402": Code(
        "no longer in this version",
        "The parameter or value was removed before the release asked for.",
        "llmcfg compile --backend tensorrt_llm --backend-version 1.3.0",
    ),
    "L403": Code(
        "version not audited",
        "The schema was audited against other releases; what it says of this one is extrapolated.",
        "llmcfg compile --backend-version 0.99.0",
    ),
    "L404": Code(
        "deprecated",
        "The engine still takes it, and warns that a later release will not.",
        "vllm: {engine: {quantization: fp8}}",
    ),
    "L501": Code(
        "extra overrides a typed value",
        "`extra` is merged last, so its value wins over the one written in the section.",
        "vllm: {engine: {dtype: auto, extra: {dtype: half}}}",
    ),
    "L502": Code(
        "extra holds a modelled key",
        "The schema knows this key: written in the section itself it would be checked.",
        "vllm: {engine: {extra: {dtype: auto}}}",
    ),
    "L503": Code(
        "extra key looks like a typo",
        "The key is passed on as it is; a modelled key has almost the same name.",
        "vllm: {engine: {extra: {max_num_seq: 8}}}",
    ),
    "L504": Code(
        "format cannot carry a value",
        "The output format has no form that the engine would read back as the same value.",
        "llmcfg compile --format argv --backend pytorch",
    ),
    "L505": Code(
        "not part of this format",
        "The format is read by a server, which takes these values from somewhere else (for example "
        "sampling parameters, which travel with each request).",
        "llmcfg compile --format argv",
    ),
    "L506": Code(
        "engine not installed",
        "Building the native objects, or asking for the GPU, needs a package that is not installed.",
        "llmcfg.compile(…).build()",
    ),
    "L601": Code(
        "the engine refuses",
        "The engine's own code, or the rules that stand in for it, refuses the config on this machine. The "
        "place is that of the parameter without which it accepts, else of the one that it names.",
        "vllm: {engine: {tensor_parallel_size: 3}}",
    ),
    "L602": Code(
        "the engine alters a value",
        "The engine takes the value and holds another one in the end. The hint gives the reason as the "
        "engine says it, else as the schema's rules do, and other parameters without which it would not.",
        "vllm: {sampling: {temperature: 0.001}}",
    ),
    "L603": Code(
        "the engine warns",
        "The engine says this about the config, and does not say it of one with nothing but the model.",
        "vllm: {engine: {enforce_eager: true}}",
    ),
    "L604": Code(
        "nobody can answer",
        "The engine asked the device, or a compiled kernel, for something that is in no table. What "
        "follows from it is not known: this is no pass.",
        "llmcfg resolve --backend pytorch --gpu h100 --packages bitsandbytes",
    ),
    "L605": Code(
        "another model stands in",
        "The model's `config.json` was not found, so a model of a common shape was taken in its place. What "
        "depends on the shape (dtype, head sizes, limits of length) may differ.",
        "llmcfg resolve --model-config config.json",
    ),
    "L606": Code(
        "the engine failed",
        "The engine's process could not be started, or ended before it answered.",
        "llmcfg resolve",
    ),
    "L607": Code(
        "no answer in time",
        "The engine did not answer within `--timeout` seconds, and was ended.",
        "llmcfg resolve --timeout 1",
    ),
    "L608": Code(
        "another version answers",
        "The installed engine, which answers, is another release than the one that `--backend-version` "
        "names, or than the reference of the schema.",
        "llmcfg resolve --backend vllm --backend-version 0.33.0",
    ),
}
