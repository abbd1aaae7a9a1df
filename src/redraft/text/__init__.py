"""Text: tokenizer, special tokens, chat segments and fixed-width slots.

It knows nothing of models, noise or tasks.
"""

from redraft.text.align import align
from redraft.text.chat import Role, Segment, encode_conversation, encode_request, encode_segment, read_role
from redraft.text.growth import Growth, lay_revision
from redraft.text.published import PublishedTokenizer
from redraft.text.published_special import PublishedSpecial
from redraft.text.slack import with_slack, without_slack
from redraft.text.slots import Field, lay_out
from redraft.text.special import SPECIAL_TEXTS, SpecialTokens
from redraft.text.tokenizer import Tokenizer
from redraft.text.vocabulary import MAX_VOCAB_SIZE

__all__ = [
    "MAX_VOCAB_SIZE",
    "SPECIAL_TEXTS",
    "Field",
    "Growth",
    "PublishedSpecial",
    "PublishedTokenizer",
    "Role",
    "Segment",
    "SpecialTokens",
    "Tokenizer",
    "align",
    "encode_conversation",
    "encode_request",
    "encode_segment",
    "lay_out",
    "lay_revision",
    "read_role",
    "with_slack",
    "without_slack",
]
