// shmim-link: gives a stream another name.

#include "tool.hpp"

namespace shmim::tools {
namespace {

class Link final : public Tool {
 public:
  void declare(CLI::App& app) override {
    app.add_option("NAME", name_, "the name to give; takes @S: @E: @N:")->required()->type_name("");
    app.add_option(
           "TARGET", target_,
           "stream it is to lead to (default: as conf/streamlink.NAME.name.txt says); takes "
           "@S: @E:")
        ->type_name("");
    declare_conf(app);
    declare_common(app);
  }

  Exit run() override {
    const Places where = places();
    const std::string linked =
        target_.empty() ? linked_stream(reference(name_, {"SEN"}).name, where) : target_;
    const Reference target = reference(linked, {"SE"});
    const Reference link = reference(name_, {"SEN"});
    if (target.name == link.name) {
      throw Error(Problem::usage, link.name, "cannot be a link to itself");
    }
    const std::filesystem::path path = stream_path(where.shm, link.name);
    check_link(link, path);
    check_target(target, stream_path(where.shm, target.name));
    // Relative, so that it holds wherever the directory is mounted.
    const Linking linking = make_link(path, fmt::format("{}{}", target.name, stream_suffix));
    detail(link.name, fmt::format("{} to {}",
                                  linking == Linking::made      ? "linked"
                                  : linking == Linking::changed ? "changed, and leads now"
                                                                : "leads already",
                                  target.name));
    return Exit::done;
  }

 private:
  static void check_link(const Reference& link, const std::filesystem::path& path) {
    std::error_code ignored;
    const bool is_there = std::filesystem::symlink_status(path, ignored).type() !=
                          std::filesystem::file_type::not_found;
    if (link.existence == Existence::must_exist && !is_there) {
      throw Error(Problem::not_found, link.name, "there is no such link to change");
    }
    if (link.existence == Existence::must_be_new && is_there) {
      throw Error(Problem::exists, link.name, "is there already");
    }
  }

  void check_target(const Reference& target, const std::filesystem::path& path) const {
    ProcessTable processes;
    const Description description = describe(path, processes);
    if (description.unreadable) {
      if (target.existence == Existence::must_exist) {
        throw Error(description.unreadable->problem, target.name, description.unreadable->why);
      }
      note(target.name, fmt::format("is no stream yet: {}", description.unreadable->why));
    } else if (target.type) {
      Demand demand;
      demand.type = target.type;
      if (const auto differing = differences(description.format, demand); !differing.empty()) {
        throw Error(Problem::mismatch, target.name, to_string(differing));
      }
    }
  }

  std::string name_;
  std::string target_;
};

const Registration registration("link", "give a stream another name", make<Link>);

}  // namespace
}  // namespace shmim::tools
