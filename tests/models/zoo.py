"""The models that export.py exports: small, with random weights.

MODELS is name -> Model(make, recipe, loss). Names that begin with "random_" have live dropout or
stochastic depth: PyTorch's figures for them would mean nothing elsewhere.
"""

import functools
from typing import Callable, NamedTuple

import torch

import plain_models as plain

# torchvision's own operators are built for CUDA's libraries; what imports them is one name.
_LIBRARY = torch.library.Library("torchvision", "DEF")
_LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

# pylint: disable=wrong-import-position
import timm.models as tm
import torchvision.models as tv
import transformers as hf
from timm.models.convmixer import ConvMixer
from timm.models.vision_transformer import VisionTransformer
from torchvision.models import segmentation
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.efficientnet import MBConvConfig
from torchvision.models.mobilenetv3 import InvertedResidualConfig
from torchvision.models.regnet import BlockParams

import zoo_wide


class Model(NamedTuple):
    make: Callable[[], torch.nn.Module]
    recipe: str
    loss: str
    batch: int = 32


def resnet(block=tv.resnet.BasicBlock, layers=(1, 1, 1, 1), **options):
    model = tv.ResNet(block, list(layers), num_classes=10, width_per_group=16, **options)
    return model


def narrow_resnet():
    """A ResNet of 8 to 64 channels: torchvision's class fixes its own, so its parts are used."""
    block = tv.resnet.BasicBlock
    down = torch.nn.Sequential(torch.nn.Conv2d(8, 16, 1, 2, bias=False), torch.nn.BatchNorm2d(16))
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(inplace=True), torch.nn.MaxPool2d(3, 2, 1), block(8, 8),
        block(8, 16, 2, down), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(16, 10))


def mobilenet_v3(dropout=0.0):
    row = functools.partial(InvertedResidualConfig, width_mult=0.5)
    return tv.MobileNetV3(
        [row(16, 3, 16, 16, True, "RE", 2, 1), row(16, 3, 48, 24, False, "RE", 2, 1),
         row(24, 5, 64, 32, True, "HS", 2, 1)], last_channel=64, num_classes=10, dropout=dropout)


def efficientnet(stochastic_depth=0.0, dropout=0.0):
    row = functools.partial(MBConvConfig, width_mult=1.0, depth_mult=1.0)
    return tv.EfficientNet([row(1, 3, 1, 8, 8, 1), row(4, 3, 2, 8, 16, 2), row(4, 5, 2, 16, 24, 1)],
                           dropout=dropout, stochastic_depth_prob=stochastic_depth, num_classes=10,
                           last_channel=48)


def convnext(stochastic_depth=0.0):
    return tv.ConvNeXt([CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)],
                       stochastic_depth_prob=stochastic_depth, num_classes=10)


def torchvision_vit():
    return tv.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=4,
                                hidden_dim=32, mlp_dim=64, num_classes=10)


def swin():
    return tv.SwinTransformer(patch_size=[2, 2], embed_dim=24, depths=[2, 2], num_heads=[2, 4],
                              window_size=[4, 4], stochastic_depth_prob=0.0, num_classes=10)


def maxvit():
    return tv.MaxVit(input_size=(64, 64), stem_channels=8, partition_size=4, block_channels=[8, 16],
                     block_layers=[1, 1], head_dim=8, stochastic_depth_prob=0.0, num_classes=10)


def densenet():
    return tv.DenseNet(growth_rate=8, block_config=(2, 2), num_init_features=16, bn_size=2,
                       num_classes=10)


def regnet():
    params = BlockParams(depths=[1, 1], widths=[16, 32], group_widths=[8, 8],
                         bottleneck_multipliers=[1.0, 1.0], strides=[2, 2], se_ratio=0.25)
    return tv.RegNet(params, num_classes=10, stem_width=8)


def backbone(layer):
    features = mobilenet_v3().features
    return IntermediateLayerGetter(features, return_layers=layer)


def lraspp():
    return segmentation.LRASPP(backbone({"1": "low", "4": "high"}), 8, 96, 2, 16)


def deeplab(dropout=0.0):
    head = segmentation.deeplabv3.DeepLabHead(96, 2, (2, 4))
    set_dropout(head, dropout)
    return segmentation.DeepLabV3(backbone({"4": "out"}), head)


def fcn():
    head = segmentation.fcn.FCNHead(96, 2)
    aux = segmentation.fcn.FCNHead(8, 2)
    set_dropout(head, 0.0)
    set_dropout(aux, 0.0)
    return segmentation.FCN(backbone({"4": "out", "1": "aux"}), head, aux)


def set_dropout(module, p):
    for part in module.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = p


def gpt2(dropout=0.0):
    return hf.GPT2LMHeadModel(hf.GPT2Config(
        vocab_size=16, n_positions=64, n_embd=32, n_layer=2, n_head=4, resid_pdrop=dropout,
        embd_pdrop=dropout, attn_pdrop=dropout, use_cache=False, bos_token_id=0, eos_token_id=0))


def llama(kind="Llama", **options):
    config = getattr(hf, kind + "Config")(
        vocab_size=16, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, use_cache=False,
        pad_token_id=None, bos_token_id=0, eos_token_id=0, **options)
    return getattr(hf, kind + "ForCausalLM")(config)


def bert_config(kind="Bert", dropout=0.0):
    return getattr(hf, kind + "Config")(
        vocab_size=16, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=66, hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout, num_labels=10)


def distilbert():
    return hf.DistilBertForMaskedLM(hf.DistilBertConfig(
        vocab_size=16, max_position_embeddings=64, n_layers=2, n_heads=4, dim=32, hidden_dim=64,
        dropout=0.0, attention_dropout=0.0))


def t5():
    return hf.T5ForConditionalGeneration(hf.T5Config(
        vocab_size=16, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.0,
        use_cache=False, pad_token_id=0, decoder_start_token_id=0))


def segformer():
    return hf.SegformerForSemanticSegmentation(hf.SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[16, 32],
        patch_sizes=[3, 3], strides=[1, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2],
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout_prob=0.0,
        drop_path_rate=0.0, decoder_hidden_size=16, num_labels=2))


def timm_vit():
    return VisionTransformer(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=4,
                             num_classes=10, init_values=0.1, qk_norm=True, global_pool="avg")


def squeezed_timm(name, **options):
    return getattr(tm, name)(pretrained=False, num_classes=10, **options)


MODELS = {
    # Image classifiers of torchvision
    "tv_narrow_resnet": Model(narrow_resnet, "img32", "ce"),
    "tv_resnet_bottleneck": Model(
        lambda: resnet(tv.resnet.Bottleneck, (1, 1, 1, 1)), "img32", "ce", 8),
    "tv_mobilenet_v3": Model(mobilenet_v3, "img32", "ce"),
    "tv_efficientnet": Model(efficientnet, "img32", "ce"),
    "tv_convnext": Model(convnext, "img32", "ce"),
    "tv_vit": Model(torchvision_vit, "img32", "ce"),
    "tv_swin": Model(swin, "img32", "ce"),
    "tv_maxvit": Model(maxvit, "img64", "ce", 8),
    "tv_densenet": Model(densenet, "img32", "ce"),
    "tv_regnet": Model(regnet, "img32", "ce"),
    "tv_shufflenet": Model(lambda: tv.ShuffleNetV2([1, 2, 1], [8, 16, 32, 64, 64], num_classes=10),
                           "img32", "ce"),
    # timm
    "timm_convmixer": Model(lambda: ConvMixer(dim=24, depth=2, kernel_size=5, patch_size=4,
                                              num_classes=10), "img32", "ce"),
    "timm_vit_layerscale": Model(timm_vit, "img32", "ce"),
    "timm_mobilevit": Model(lambda: squeezed_timm("mobilevit_xxs"), "img64", "ce", 8),
    "timm_ghostnet": Model(lambda: squeezed_timm("ghostnet_050", drop_rate=0.0), "img32", "ce", 8),
    "timm_poolformer": Model(
        lambda: tm.MetaFormer(depths=(1, 1), dims=(16, 32), num_classes=10), "img32", "ce"),
    # Segmentation, super-resolution, pictures to pictures
    "tv_lraspp": Model(lraspp, "seg32", "seg_ce"),
    "tv_deeplab": Model(deeplab, "seg32", "seg_ce"),
    "tv_fcn_aux": Model(fcn, "seg32", "seg_ce"),
    "hf_segformer": Model(lambda: torch.nn.Sequential(segformer(), FirstUp()), "seg32", "seg_ce"),
    "unet_transposed": Model(plain.UNet, "seg32x1", "seg_ce", 8),
    "unet_bilinear": Model(lambda: plain.UNet(bilinear=True), "seg32x1", "seg_ce"),
    "edsr": Model(plain.Edsr, "super16", "mse"),
    "autoencoder": Model(plain.Autoencoder, "same16", "mse"),
    # Text
    "gpt_tied": Model(plain.Gpt, "tokens", "seq_ce", 8),
    "mingpt_masked": Model(plain.MinGpt, "tokens", "seq_ce"),
    "hf_gpt2": Model(gpt2, "tokens", "seq_ce"),
    "hf_llama": Model(llama, "tokens", "seq_ce"),
    "hf_qwen2": Model(lambda: llama("Qwen2", tie_word_embeddings=True), "tokens", "seq_ce"),
    "hf_mistral": Model(lambda: llama("Mistral", sliding_window=16), "tokens", "seq_ce"),
    "hf_bert_classifier": Model(lambda: hf.BertForSequenceClassification(bert_config()),
                                "tokens_labels", "ce"),
    "hf_bert_masked": Model(lambda: hf.BertForMaskedLM(bert_config()), "tokens_same", "seq_ce"),
    "hf_electra": Model(lambda: hf.ElectraForMaskedLM(bert_config("Electra")), "tokens_same",
                        "seq_ce"),
    "hf_distilbert": Model(distilbert, "tokens_same", "seq_ce"),
    "hf_t5": Model(t5, "tokens_t5", "seq_ce"),
    "lstm_language": Model(plain.WordLanguageModel, "tokens_lstm", "seq_ce"),
    "gru_language": Model(lambda: plain.WordLanguageModel("GRU"), "tokens_gru", "seq_ce"),
    # Others
    "row_lstm": Model(plain.RowLstm, "img16x1", "ce"),
    "vit_encoder": Model(plain.Vit, "img32", "ce"),
    "two_inputs": Model(plain.TwoInputs, "two", "bce", 8),
    # Random
    "random_mnist_dropout": Model(plain.MnistNet, "img16x1", "nll"),
    "random_gpt_dropout": Model(lambda: plain.Gpt(dropout=0.1), "tokens", "seq_ce"),
    "random_hf_gpt2": Model(lambda: gpt2(0.1), "tokens", "seq_ce"),
    "random_vit_dropout": Model(lambda: plain.Vit(dropout=0.1), "img32", "ce"),
    "random_lstm_dropout": Model(lambda: plain.WordLanguageModel(dropout=0.2), "tokens_lstm",
                                 "seq_ce"),
    "random_tv_efficientnet": Model(lambda: efficientnet(0.2, 0.2), "img32", "ce"),
    "random_tv_convnext": Model(lambda: convnext(0.3), "img32", "ce"),
}


class FirstUp(torch.nn.Module):
    """Segformer's logits are smaller than the picture; its users scale them up so."""

    def forward(self, output):
        return torch.nn.functional.interpolate(output.logits, size=(32, 32), mode="bilinear",
                                               align_corners=False)


MODELS.update((name, Model(*row)) for name, row in zoo_wide.MODELS.items())
