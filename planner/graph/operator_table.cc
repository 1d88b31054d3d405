#include "planner/graph/operator_table.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mantissa::planner {
namespace {

using Kind = GradientKind;

enum Flags : unsigned {
  kGemm = 1,
  kView = 2,
  kReorders = 4,
  kCast = 8,
  kRandom = 16,
  kCheap = 32,
  kStopsGradient = 64,
  kSampleWise = 128,
};

// Operators that are alike, separated by spaces, without "aten::".
struct Family {
  const char* ops;
  // Arguments that the backward pass reads, separated by spaces: "a" always, "a:b" where the
  // gradient of b is asked for.
  const char* reads;
  unsigned flags = 0;
  Kind kind = Kind::kReplay;
  // Arguments of which only shape and type matter.
  const char* shapes = "";
};

constexpr Family kFamilies[] = {
    // Matrix products and what counts as one, linear in each factor.
    {"conv2d", "input:weight weight:input", kGemm | kSampleWise, Kind::kConvolution},
    {"linear", "input:weight weight:input", kGemm | kSampleWise, Kind::kLinear},
    {"conv1d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d",
     "input:weight weight:input", kGemm | kSampleWise},
    {"addmm", "mat1:mat2 mat2:mat1", kGemm},
    {"addmv", "mat:vec vec:mat", kGemm},
    {"mm", "self:mat2 mat2:self", kGemm},
    {"bmm", "self:mat2 mat2:self", kGemm | kSampleWise},
    {"mv", "self:vec vec:self", kGemm},
    {"dot", "self:tensor tensor:self", kGemm},
    {"outer", "self:vec2 vec2:self", kGemm},
    {"matmul", "self:other other:self", kGemm | kSampleWise},
    {"baddbmm", "batch1:batch2 batch2:batch1", kGemm | kSampleWise},
    {"addbmm", "batch1:batch2 batch2:batch1", kGemm},
    {"einsum", "tensors", kGemm},
    {"bilinear", "input1 input2 weight", kGemm},
    {"scaled_dot_product_attention", "query key value attn_mask", kGemm | kRandom | kSampleWise},
    {"embedding", "indices", kGemm | kSampleWise},
    {"embedding_bag", "weight indices offsets per_sample_weights", kGemm},
    {"lstm gru rnn_tanh rnn_relu", "input hx params data batch_sizes", kGemm | kRandom},
    {"lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell", "input hx w_ih w_hh b_ih b_hh", kGemm},

    // What shows its input.
    {"view reshape _unsafe_view _reshape_alias flatten unflatten squeeze unsqueeze alias "
     "contiguous "
     "clone lift_fresh lift_fresh_copy",
     "", kView},
    {"detach", "", kView | kStopsGradient},
    {"view_as reshape_as", "", kView, Kind::kReplay, "other"},
    {"permute transpose t swapaxes swapdims movedim moveaxis numpy_T mT", "", kView | kReorders},
    {"to _to_copy float double half bfloat16", "", kCast | kCheap | kSampleWise},
    {"type_as", "", kCast | kCheap | kSampleWise, Kind::kReplay, "other"},

    // Linear in all its inputs.
    {"add", "", kCheap | kSampleWise, Kind::kAdd},
    {"cat", "", kCheap | kSampleWise, Kind::kCat},
    {"slice", "", kCheap | kSampleWise, Kind::kSlice},
    {"avg_pool2d", "", kCheap | kSampleWise, Kind::kAveragePool},
    {"sub rsub neg diff mean sum cumsum diagonal select narrow repeat_interleave stack split "
     "split_with_sizes chunk tensor_split unbind unfold im2col col2im flip roll tril triu pad "
     "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d "
     "replication_pad2d replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle avg_pool1d "
     "avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d upsample_nearest1d "
     "upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d "
     "_upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_trilinear3d "
     "upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa",
     "", kCheap | kSampleWise},
    {"expand repeat tile broadcast_to concat hstack vstack trace as_strided slice_scatter "
     "select_scatter diagonal_scatter meshgrid affine_grid_generator",
     "", kCheap},
    {"expand_as", "", kCheap, Kind::kReplay, "other"},
    {"copy fill full_like", "", kCheap, Kind::kReplay, "self"},

    // Linear, and told by integers or a mask where from and where to.
    {"gather index_select take_along_dim index_add index_copy scatter_add scatter", "index",
     kCheap | kSampleWise},
    {"index _unsafe_index index_put _unsafe_index_put", "indices", kCheap},
    {"masked_fill masked_select masked_scatter", "mask", kCheap | kSampleWise},
    {"where", "condition", kCheap | kSampleWise},
    {"scatter_reduce", "self index src"},

    // Products and quotients.
    {"mul multiply", "self:other other:self", kCheap | kSampleWise},
    {"div divide true_divide", "other self:other", kCheap | kSampleWise},
    {"addcmul", "tensor1:tensor2 tensor2:tensor1", kCheap | kSampleWise},
    {"addcdiv", "tensor2 tensor1:tensor2", kCheap | kSampleWise},
    {"lerp", "weight self:weight end:weight", kCheap | kSampleWise},
    {"pow", "self exponent", kCheap | kSampleWise},
    {"maximum minimum atan2 hypot", "self other", kCheap | kSampleWise},
    {"fmod remainder", "self:other other:other", kCheap | kSampleWise},

    // Element by element.
    {"relu", "self", kCheap | kSampleWise, Kind::kRelu},
    {"abs exp exp2 expm1 log log1p log2 log10 sqrt rsqrt square reciprocal sin cos tan asin acos "
     "atan sinh cosh tanh sigmoid log_sigmoid erf erfc elu selu celu gelu silu mish softplus "
     "hardtanh hardsigmoid hardswish hardshrink softshrink threshold relu6 leaky_relu clamp_min "
     "clamp_max logit sinc nan_to_num",
     "self", kCheap | kSampleWise},
    {"clamp clip", "self min max", kCheap | kSampleWise},
    {"prelu", "self weight:self", kCheap | kSampleWise},
    {"glu", "self", kCheap | kSampleWise},

    // Norms, softmax, reductions.
    {"batch_norm", "input weight:input running_mean running_var", kCheap, Kind::kBatchNorm},
    {"instance_norm", "input weight:input running_mean running_var", kCheap},
    {"layer_norm group_norm rms_norm", "input weight:input", kCheap | kSampleWise},
    {"_weight_norm", "v g", kCheap},
    {"softmax", "self", kCheap | kSampleWise},
    {"log_softmax", "self", kSampleWise, Kind::kLogSoftmax},
    {"norm linalg_vector_norm std var std_mean var_mean prod cumprod logsumexp", "self",
     kCheap | kSampleWise},
    {"cosine_similarity cdist", "x1 x2"},
    {"max min", "self other", kSampleWise},
    {"amax amin median kthvalue sort topk mode cummax cummin", "self", kSampleWise},

    // Windows.
    {"max_pool2d", "self", kCheap | kSampleWise, Kind::kMaxPool},
    {"max_pool1d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
     "max_pool2d_with_indices",
     "self", kCheap | kSampleWise},
    {"grid_sampler", "grid input:grid", kCheap | kSampleWise},

    // Random: from the same seed the same again.
    {"dropout", "", kCheap | kRandom, Kind::kDropout},
    {"feature_dropout native_dropout", "", kCheap | kRandom},
    {"alpha_dropout feature_alpha_dropout", "input", kRandom},
    {"rrelu", "self", kRandom},
    {"bernoulli multinomial", "", kRandom | kStopsGradient},
    {"uniform normal normal_functional exponential random geometric log_normal cauchy", "",
     kRandom | kStopsGradient, Kind::kReplay, "self"},
    {"rand_like randn_like randint_like", "", kRandom | kStopsGradient, Kind::kReplay, "self"},
    {"rand randn randint randperm", "", kRandom | kStopsGradient},

    // Through which no gradient flows.
    {"zeros_like ones_like empty_like new_zeros new_ones new_empty new_full new_empty_strided zero",
     "", kStopsGradient, Kind::kReplay, "self"},
    {"zeros ones empty full arange linspace eye scalar_tensor tril_indices triu_indices", "",
     kStopsGradient},
    {"eq ne lt le gt ge logical_and logical_or logical_not logical_xor bitwise_and bitwise_or "
     "bitwise_not bitwise_xor __and__ __or__ __xor__ isnan isinf isfinite any all argmax argmin "
     "argsort floor ceil round trunc sign floor_divide searchsorted bucketize one_hot "
     "count_nonzero",
     "", kStopsGradient},

    // Losses.
    {"nll_loss", "target weight", 0, Kind::kNllLoss},
    {"nll_loss2d nll_loss_nd", "target weight"},
    {"cross_entropy_loss", "self target weight"},
    {"mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy "
     "binary_cross_entropy_with_logits",
     "self target weight pos_weight"},
};

// Our own.
constexpr char kSmoothedNllLoss[] = "mantissa::smoothed_nll_loss";

OperatorTraits TraitsOf(const Family& family) {
  OperatorTraits traits{.known = true, .kind = family.kind};
  traits.gemm = family.flags & kGemm;
  traits.view = family.flags & kView;
  traits.reorders = family.flags & kReorders;
  traits.cast = family.flags & kCast;
  traits.random = family.flags & kRandom;
  traits.cheap = family.flags & kCheap;
  traits.stops_gradient = family.flags & kStopsGradient;
  traits.sample_wise = family.flags & kSampleWise;
  for (const absl::string_view read :
       absl::StrSplit(absl::string_view(family.reads), ' ', absl::SkipEmpty())) {
    const size_t colon = read.find(':');
    if (colon == read.npos) {
      traits.reads.push_back({read, ""});
    } else {
      traits.reads.push_back({read.substr(0, colon), read.substr(colon + 1)});
    }
  }
  for (const absl::string_view shape :
       absl::StrSplit(absl::string_view(family.shapes), ' ', absl::SkipEmpty())) {
    traits.shapes.push_back(shape);
  }
  return traits;
}

// Finds without making a string.
struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view op) const { return std::hash<std::string_view>()(op); }
};
using Table = std::unordered_map<std::string, OperatorTraits, Hash, std::equal_to<>>;

Table MakeTable() {
  Table table;
  for (const Family& family : kFamilies) {
    for (const absl::string_view op :
         absl::StrSplit(absl::string_view(family.ops), ' ', absl::SkipEmpty())) {
      table["aten::" + std::string(op)] = TraitsOf(family);
    }
  }
  table[kSmoothedNllLoss] = {.known = true, .kind = Kind::kNllLoss, .reads = {{"target", ""}}};
  return table;
}

}  // namespace

bool OperatorTraits::OnlyItsShape(absl::string_view argument) const {
  return std::find(shapes.begin(), shapes.end(), argument) != shapes.end();
}

const OperatorTraits& TraitsOf(absl::string_view op) {
  static const Table& table = *new Table(MakeTable());
  static const OperatorTraits& unknown = *new OperatorTraits();
  const auto find = [&] { return table.find(std::string_view(op.data(), op.size())); };
  auto found = find();
  // "aten::__and__" and its like end in two and are not in place.
  if (found == table.end() && absl::ConsumeSuffix(&op, "_") && !absl::EndsWith(op, "_")) {
    found = find();
  }
  return found == table.end() ? unknown : found->second;
}

bool IsViewOperator(absl::string_view op) { return TraitsOf(op).view; }

}  // namespace mantissa::planner
