"""More models for zoo.py: architectures of timm and transformers that use unusual operators.

MODELS is name -> (make, recipe, loss, batch).
"""

import timm.models as tm
import torch
import torchvision.models as tv
import transformers as hf
from timm.models.cait import Cait
from timm.models.levit import Levit
from timm.models.pvt_v2 import PyramidVisionTransformerV2
from timm.models.xcit import Xcit


class TimeMajorLanguageModel(torch.nn.Module):
    """PyTorch's word_language_model with batch_first off inside: [N, T] in, [N * T, V] out."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Embedding(16, 24)
        self.rnn = torch.nn.LSTM(24, 24, 2)
        self.decoder = torch.nn.Linear(24, 16)

    def forward(self, input):  # pylint: disable=redefined-builtin
        out, _ = self.rnn(self.encoder(input).transpose(0, 1))
        decoded = self.decoder(out.transpose(0, 1).reshape(-1, 24))
        return torch.log_softmax(decoded, dim=1)


class TransformerLanguageModel(torch.nn.Module):
    """PyTorch's example: sinusoids in a buffer, a causal mask made by the model."""

    def __init__(self):
        super().__init__()
        position = torch.arange(64).unsqueeze(1)
        rate = torch.exp(torch.arange(0, 32, 2) * -0.3)
        table = torch.zeros(64, 32)
        table[:, 0::2], table[:, 1::2] = torch.sin(position * rate), torch.cos(position * rate)
        self.register_buffer("table", table)
        self.encoder = torch.nn.Embedding(16, 32)
        layer = torch.nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.decoder = torch.nn.Linear(32, 16)

    def forward(self, ids):
        mask = torch.nn.Transformer.generate_square_subsequent_mask(ids.size(1))
        x = self.encoder(ids) * 32 ** 0.5 + self.table[:ids.size(1)]
        return self.decoder(self.layers(x, mask=mask, is_causal=True))


def small(kind, head="ForCausalLM", **options):
    """A tiny model of transformers: most configurations share these names."""
    sizes = {"vocab_size": 16, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 64, "max_position_embeddings": 66, "use_cache": False,
             "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    sizes.update(options)
    return getattr(hf, kind + head)(getattr(hf, kind + "Config")(**sizes))


OFF = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
OFF_NEOX = {"hidden_dropout": 0.0, "attention_dropout": 0.0}


def googlenet():
    model = tv.GoogLeNet(num_classes=10, aux_logits=False, init_weights=False, dropout=0.0,
                         dropout_aux=0.0)
    return model



def bart():
    return hf.BartForConditionalGeneration(hf.BartConfig(
        vocab_size=16, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=64, use_cache=False, pad_token_id=1,
        bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=None))


def gated_t5():
    return hf.T5ForConditionalGeneration(hf.T5Config(
        vocab_size=16, d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4, dropout_rate=0.0,
        feed_forward_proj="gated-gelu", use_cache=False, tie_word_embeddings=False,
        pad_token_id=0, decoder_start_token_id=0))


def hf_vit():
    return hf.ViTForImageClassification(hf.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        image_size=32, patch_size=8, num_labels=10, **OFF))


MODELS = {
    "timm_xcit": (lambda: Xcit(img_size=32, patch_size=8, embed_dim=32, depth=1, num_heads=4,
                               cls_attn_layers=1, num_classes=10), "img32", "ce", 8),
    "timm_levit": (lambda: Levit(img_size=64, embed_dim=(32, 48), key_dim=8, depth=(1, 1),
                                 num_heads=(2, 2), num_classes=10), "img64", "ce", 8),
    "timm_pvt": (lambda: PyramidVisionTransformerV2(
        depths=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), num_heads=(1, 1, 2, 2),
        sr_ratios=(4, 2, 1, 1), mlp_ratios=(2, 2, 2, 2), num_classes=10), "img64", "ce", 8),
    "timm_cait": (lambda: Cait(img_size=32, patch_size=8, embed_dim=32, depth=1, num_heads=4,
                               num_classes=10), "img32", "ce", 8),
    "timm_eca_resnet": (lambda: tm.ecaresnet26t(pretrained=False, num_classes=10, stem_width=8,
                                                base_width=8), "img32", "ce", 8),
    "tv_googlenet": (googlenet, "img32", "ce", 8),
    "tv_squeezenet": (lambda: tv.SqueezeNet("1_1", num_classes=10, dropout=0.0), "img32", "ce", 8),
    "tv_mnasnet": (lambda: tv.MNASNet(0.1, num_classes=10, dropout=0.0), "img32", "ce", 8),
    "hf_vit": (hf_vit, "img32", "ce", 8),
    "hf_opt": (lambda: small("OPT", ffn_dim=64, dropout=0.0, attention_dropout=0.0,
                             word_embed_proj_dim=32), "tokens", "seq_ce", 8),
    "hf_neox": (lambda: small("GPTNeoX", **OFF_NEOX), "tokens", "seq_ce", 8),
    "hf_bloom": (lambda: small("Bloom", n_layer=2, n_head=4, **OFF_NEOX), "tokens", "seq_ce", 8),
    "hf_falcon": (lambda: small("Falcon", **OFF_NEOX), "tokens", "seq_ce", 8),
    "hf_gemma2": (lambda: small("Gemma2", head_dim=8, num_key_value_heads=2, sliding_window=16),
                  "tokens", "seq_ce", 8),
    "hf_phi": (lambda: small("Phi"), "tokens", "seq_ce", 8),
    "hf_roberta": (lambda: small("Roberta", "ForMaskedLM", **OFF), "tokens_same", "seq_ce", 8),
    "hf_albert": (lambda: small("Albert", "ForMaskedLM", embedding_size=16, **OFF), "tokens_same",
                  "seq_ce", 8),
    "hf_bart": (bart, "tokens_t5", "seq_ce", 8),
    "hf_t5_gated": (gated_t5, "tokens_t5", "seq_ce", 8),
    "transformer_language": (TransformerLanguageModel, "tokens", "seq_ce", 8),
    "rows_of_tokens": (TimeMajorLanguageModel, "tokens", "nll", 8),
}
