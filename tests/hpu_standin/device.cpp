// torch's device "hpu" over host memory: every operator of the bridge's list computes on the CPU and is counted.
// What is not in the list reaches the fallback of the device, is counted as that, and computes on the CPU too.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/HPUHooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace {

using at::IntArrayRef;
using at::Tensor;
template <class T> using Maybe = std::optional<T>;

constexpr auto kHpu = c10::DeviceType::HPU;

struct HostMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = bytes ? std::malloc(bytes) : nullptr;
    return {memory, memory, &std::free, c10::Device(kHpu, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
} memory;

// One card with one stream, on which everything has happened once it was called.
struct Guard final : c10::impl::DeviceGuardImplInterface {
  Guard() = default;
  c10::DeviceType type() const override { return kHpu; }
  c10::Device getDevice() const override { return {kHpu, 0}; }
  c10::Device exchangeDevice(c10::Device) const override { return {kHpu, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device card) const override { return c10::Stream(c10::Stream::DEFAULT, card); }
  c10::Stream exchangeStream(c10::Stream stream) const override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
};

C10_REGISTER_GUARD_IMPL(HPU, Guard);

}  // namespace

namespace at {  // torch looks for hooks of this name
struct HPUHooks : HPUHooksInterface {
  explicit HPUHooks(HPUHooksArgs) {}
  void init() const override {}
  bool hasHPU() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(DeviceIndex) const override {}
  Generator getNewGenerator(DeviceIndex) const override {
    // The public bridge has none.
    TORCH_CHECK(std::getenv("HPU_STANDIN_GENERATOR"), "HPU has no new generators of random numbers");
    return at::detail::createCPUGenerator();
  }
};
REGISTER_HPU_HOOKS(HPUHooks);
}  // namespace at

namespace {

std::mutex counting;
std::map<std::string, int64_t> counts;  // "aten::add.Tensor Float Long" -> calls; types of what lies on the device
std::set<std::string> listed;
thread_local bool computing = false;  // when copies are the stand-in's own

void count(const std::string& key) {
  std::lock_guard<std::mutex> lock(counting);
  ++counts[key];
}

Tensor empty(IntArrayRef size, Maybe<at::ScalarType> dtype, Maybe<at::Layout>, Maybe<at::Device>, Maybe<bool>,
             Maybe<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, c10::DispatchKeySet(c10::DispatchKey::HPU),
                                   at::dtype_or_default(dtype), format);
}

Tensor empty_strided(IntArrayRef size, IntArrayRef stride, Maybe<at::ScalarType> dtype, Maybe<at::Layout>,
                     Maybe<at::Device>, Maybe<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, c10::DispatchKeySet(c10::DispatchKey::HPU),
                                           at::dtype_or_default(dtype));
}

// The same bytes as a tensor of the CPU.
Tensor on_cpu(const Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(), tensor.options().device(at::kCPU));
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  on_cpu(to).copy_(on_cpu(from));
  if (!computing && from.is_cpu()) count(std::string("copy to the card ") + toString(from.scalar_type()));
  if (!computing && to.is_cpu()) count(std::string("copy to the host ") + toString(from.scalar_type()));
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  at::native::resize_(to, from.sizes());
  return copy_from(from, to, false);
}

// Appends the tensors among values; a list of tensors gives all of its own.
std::vector<Tensor> tensors_of(c10::ArrayRef<c10::IValue> values) {
  std::vector<Tensor> found;
  for (const auto& value : values) {
    if (value.isTensor()) found.push_back(value.toTensor());
    if (value.isTensorList()) for (const Tensor& tensor : value.toTensorVector()) found.push_back(tensor);
    if (value.isOptionalTensorList())
      for (const Maybe<Tensor>& tensor : value.toOptionalTensorVector()) if (tensor) found.push_back(*tensor);
  }
  return found;
}

void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string name = toString(op.operator_name());
  std::set<std::string> types;
  for (const Tensor& tensor : tensors_of(torch::jit::last(*stack, op.schema().arguments().size()))) {
    if (!tensor.defined()) continue;
    TORCH_CHECK(tensor.device().type() == kHpu || !tensor.dim(), name, ": a tensor of the ", tensor.device(),
                " among those of the HPU");
    if (tensor.device().type() == kHpu) types.insert(toString(tensor.scalar_type()));
  }
  {
    struct Own {
      Own() { computing = true; }
      ~Own() { computing = false; }
    } own;
    at::native::cpu_fallback(op, stack);
  }
  for (const Tensor& tensor : tensors_of(torch::jit::last(*stack, op.schema().returns().size())))
    if (tensor.defined()) types.insert(toString(tensor.scalar_type()));
  std::string key = (listed.count(name) ? "" : "unlisted ") + name;
  for (const auto& type : types) key += " " + type;
  count(key);
}

bool is_view(const c10::FunctionSchema& schema) {
  for (const auto& argument : schema.arguments())
    if (argument.alias_info() && !argument.alias_info()->isWrite()) return true;
  return false;
}

// Gives the device these operators as its own, as the bridge does: they are no longer taken apart into others.
// Views stay as they are, and so does what torch takes apart before it looks for a device.
void add_operators(std::vector<std::string> names) {
  static std::vector<std::unique_ptr<torch::Library>> libraries;
  libraries.push_back(std::make_unique<torch::Library>(
      torch::Library::IMPL, "aten", std::make_optional(c10::DispatchKey::HPU), __FILE__, __LINE__));
  for (const auto& name : names) {
    const auto dot = name.find('.');
    const auto op = c10::Dispatcher::singleton().findSchema(
        {"aten::" + name.substr(0, dot), dot == std::string::npos ? "" : name.substr(dot + 1)});
    if (!op) continue;
    listed.insert(toString(op->operator_name()));
    if (is_view(op->schema()) || op->hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd) ||
        op->hasKernelForDispatchKey(c10::DispatchKey::HPU) || name == "copy_") continue;
    libraries.back()->impl(name.c_str(), torch::CppFunction::makeFromBoxedFunction<&compute>());
  }
}

c10::Dict<std::string, int64_t> take_counts() {
  std::lock_guard<std::mutex> lock(counting);
  c10::Dict<std::string, int64_t> taken;
  for (const auto& [key, count] : counts) taken.insert(key, count);
  counts.clear();
  return taken;
}

TORCH_LIBRARY_IMPL(_, HPU, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>()); }

TORCH_LIBRARY_IMPL(aten, HPU, library) {
  library.impl("empty.memory_format", empty);
  library.impl("empty_strided", empty_strided);
  library.impl("_copy_from", copy_from);
  library.impl("_copy_from_and_resize", copy_from_and_resize);
  library.impl("as_strided", at::native::as_strided_tensorimpl);
  library.impl("view", at::native::view);
  library.impl("_reshape_alias", at::native::_reshape_alias);
  library.impl("resize_", at::native::resize_);
  library.impl("set_.source_Storage_storage_offset", at::native::set_storage_cpu_);
}

TORCH_LIBRARY(hpu_standin, library) {
  library.def("add_operators", &add_operators);
  library.def("take_counts", &take_counts);
}

}  // namespace
