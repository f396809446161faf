#include "recording/summary.hpp"

#include <algorithm>
#include <variant>

namespace shmim::recording {
namespace {

using Kind = ChangingKeyword::Kind;

Kind kind_of(const Keyword& keyword) { return static_cast<Kind>(keyword.value.index()); }

const Keyword* find(const std::vector<Keyword>& keywords, const std::string& name) {
  const auto found = std::ranges::find(keywords, name, &Keyword::name);
  return found == keywords.end() ? nullptr : &*found;
}

ChangingKeyword& column_of(Summary& summary, const Beginning& beginning, const std::string& name) {
  const auto found = std::ranges::find(summary.changing, name, &ChangingKeyword::name);
  if (found != summary.changing.end()) {
    return *found;
  }
  summary.changing.push_back({name, "", Kind::integer});
  if (const Keyword* const before = find(beginning.stream.keywords, name)) {
    summary.changing.back().comment = before->comment;
    summary.changing.back().kind = kind_of(*before);
  }
  return summary.changing.back();
}

}  // namespace

Summary summarize(const std::filesystem::path& journal, std::uint64_t limit) {
  static_assert(static_cast<int>(Kind::text) == 2);  // as Keyword::value has them
  JournalReader reader(journal);
  Summary summary;
  std::uint64_t last = 0;
  while (summary.frames < limit) {
    const std::optional<JournalFrame> frame = reader.next();
    if (!frame) {
      break;
    }
    if (frame->missed > 0 && summary.frames > 0) {
      summary.missed += frame->missed;
      summary.lost.emplace_back(last + 1, std::max(last + 1, frame->info.cnt0 - 1));
    }
    last = frame->info.cnt0;
    ++summary.frames;
    const Tai time = is_date(frame->info.atime) ? frame->info.atime : frame->info.writetime;
    if (is_date(time)) {
      summary.begin = summary.begin == never ? time : summary.begin;
      summary.end = time;
    }
    for (const Keyword& keyword : frame->set) {
      ChangingKeyword& column = column_of(summary, reader.beginning(), keyword.name);
      column.comment = keyword.comment;
      column.kind = std::max(column.kind, kind_of(keyword));
    }
    for (const std::string& name : frame->erased) {
      column_of(summary, reader.beginning(), name);
    }
  }
  return summary;
}

}  // namespace shmim::recording
