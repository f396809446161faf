// shmim-link: gives a stream another name.

#include "common/app/tool.hpp"

namespace shmim::tools {
namespace {

class Link final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("NAME", name_, "the name to give; takes @S: @E: @N:").required();
    options.positional(
        "TARGET", target_,
        "stream that it leads to (default: what conf/streamlink.NAME.name.txt says); "
        "takes @S: @E:");
    options.conf();
  }

  Exit run(const Context& context) override {
    const std::string linked =
        target_.empty() ? linked_stream(context.reference(name_).name, context.search_path())
                        : target_;
    const Reference target = context.reference(linked, {"SE"});
    const Reference link = context.reference(name_);
    return context.about(link, [&] { return make(context, link, target); });
  }

 private:
  static Exit make(const Context& context, const Reference& link, const Reference& target) {
    const SearchPath& where = context.search_path();
    if (link.type) {
      throw Error(Problem::usage, link.text, "a link has the type of its target");
    }
    const std::filesystem::path path = stream_path(where.shm, link.name);
    check_way(link, path, stream_path(where.shm, target.name));
    check_link(link, path);
    check_target(context, target, stream_path(where.shm, target.name));
    // Relative, so that it holds wherever the directory is mounted.
    const LinkOutcome linking = make_link(path, fmt::format("{}{}", target.name, stream_suffix));
    context.detail(link.name,
                   fmt::format("{} to {}",
                               linking == LinkOutcome::made      ? "linked"
                               : linking == LinkOutcome::changed ? "changed, and leads now"
                                                                 : "leads already",
                               target.name));
    return Exit::done;
  }

  /// Refuses to lead a link back to itself, by way of others too.
  static void check_way(const Reference& link, const std::filesystem::path& path,
                        std::filesystem::path at) {
    constexpr int most_links = 40;  // that Linux follows
    for (int links = 0; links < most_links; ++links) {
      if (at.lexically_normal() == path.lexically_normal()) {
        throw Error(
            Problem::usage, link.name,
            links == 0 ? "cannot be a link to itself" : "cannot be a link to what leads to it");
      }
      std::error_code not_a_link;
      const std::filesystem::path next = std::filesystem::read_symlink(at, not_a_link);
      if (not_a_link) {
        return;
      }
      at = at.parent_path() / next;
    }
  }

  static void check_link(const Reference& link, const std::filesystem::path& path) {
    std::error_code ignored;
    const bool is_there = std::filesystem::symlink_status(path, ignored).type() !=
                          std::filesystem::file_type::not_found;
    if (link.existence == Existence::must_exist && !is_there) {
      throw Error(Problem::not_found, link.name, "there is no such link");
    }
    if (link.existence == Existence::must_be_new && is_there) {
      throw Error(Problem::exists, link.name, "is there already");
    }
  }

  static void check_target(const Context& context, const Reference& target,
                           const std::filesystem::path& path) {
    ProcessTable processes;
    const Description description = describe(path, processes);
    if (description.unreadable) {
      if (target.existence == Existence::must_exist) {
        throw Error(description.unreadable->problem, target.name, description.unreadable->why);
      }
      context.note(target.name,
                   fmt::format("is not a stream yet: {}", description.unreadable->why));
    } else {
      require_type(target.name, description.format, target.type);
    }
  }

  std::string name_;
  std::string target_;
};

const Registration link_registration("link", "give a stream another name", {"SEN"}, {}, make<Link>,
                                     {"shmim-link wfs cam1", "shmim-link @N:wfs @E:cam1"});

}  // namespace
}  // namespace shmim::tools
