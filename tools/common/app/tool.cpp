#include "common/app/tool.hpp"

namespace shmim::tools {
namespace {

const Registration* first_registration = nullptr;

}  // namespace

Registration::Registration(const char* tool_name, const char* tool_summary, const Takes& its_takes,
                           const Advice& its_advice, Make make_tool,
                           const Examples& its_examples) noexcept
    : name(tool_name),
      summary(tool_summary),
      takes(its_takes),
      advice(its_advice),
      make(make_tool),
      examples(its_examples),
      next(first_registration) {
  first_registration = this;
}

const Registration* registrations() noexcept { return first_registration; }

std::unique_ptr<Options> options_of(const Registration& registration, Tool& tool) {
  auto options = std::make_unique<Options>(registration.name);
  tool.declare(*options);
  options->common();
  return options;
}

}  // namespace shmim::tools
