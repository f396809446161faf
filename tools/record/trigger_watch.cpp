#include "record/trigger_watch.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/print/words.hpp"

namespace shmim::tools {

using std::chrono::steady_clock;

TriggerWatch::TriggerWatch(const Triggers& triggers, Report report)
    : triggers_(triggers), report_(std::move(report)) {
  for (const Triggers::OfKeyword& trigger : triggers.keywords) {
    keywords_.push_back({&trigger, {}, false});
  }
  for (const Triggers::OfTime& trigger : triggers.stopped) {
    silences_.push_back({&trigger, false});
  }
}

void TriggerWatch::begin(const Stream& stream) {
  claims_.clear();  // before another process, or we, may have them in the new stream
  for (const unsigned index : triggers_.semaphores) {
    claims_.push_back(stream.semaphores().claim(index));
    claims_.back().drain();  // what was posted before is no news
  }
  if (std::exchange(has_begun_, true)) {
    return;  // what keywords were in the stream before this one, they may be otherwise in it
  }
  for (WatchedKeyword& watched : keywords_) {
    watched.before = stream.keywords().find(watched.trigger->condition.name);
    watched.holds = watched.trigger->condition.holds(watched.before, watched.before);
  }
}

void TriggerWatch::look_at(const Stream& stream, const TakenFrame& frame) {
  const std::uint64_t cnt0 = frame.info.cnt0;
  last_frame_ = steady_clock::now();
  last_cnt0_ = cnt0;
  for (WatchedSilence& watched : silences_) {
    watched.is_told = false;
  }
  if (triggers_.lost && frame.missed > 0) {
    report_("lost", fmt::format("{} before frame {} not in the buffer in time",
                                counted(frame.missed, "frame"), cnt0));
  }
  if (!triggers_.budgets.empty()) {
    const auto latency = end_to_end(frame.trace);
    for (const Triggers::OfTime& budget : triggers_.budgets) {
      if (latency && *latency > budget.limit) {
        report_(budget.text, fmt::format("frame {} took {}", cnt0, in_words(Seconds(*latency))));
      }
    }
  }
  look_at_keywords(stream);
  look_at_posts(stream);
}

void TriggerWatch::look_between(const Stream& stream) {
  const auto now = steady_clock::now();
  for (WatchedSilence& watched : silences_) {
    if (last_frame_ && now - *last_frame_ >= watched.trigger->limit &&
        !std::exchange(watched.is_told, true)) {
      report_(watched.trigger->text,
              fmt::format("no frame for {} after frame {}",
                          in_words(Seconds(watched.trigger->limit)), last_cnt0_));
    }
  }
  look_at_keywords(stream);
  look_at_posts(stream);
}

void TriggerWatch::look_at_keywords(const Stream& stream) {
  for (WatchedKeyword& watched : keywords_) {
    const KeywordCondition& condition = watched.trigger->condition;
    std::optional<Keyword> keyword = stream.keywords().find(condition.name);
    const bool held = std::exchange(watched.holds, condition.holds(keyword, watched.before));
    const bool is_new = !held || condition.relation == KeywordCondition::Relation::changed;
    watched.before = std::move(keyword);
    if (watched.holds && is_new) {
      report_(watched.trigger->text, fmt::format("it is {}", to_string(*watched.before)));
    }
  }
}

void TriggerWatch::look_at_posts(const Stream& stream) {
  for (SemaphoreClaim& claim : claims_) {
    const unsigned index = claim.index();
    if (!claim.still_ours()) {
      throw Error(Problem::claimed, stream.name(),
                  fmt::format("semaphore {} was taken from us by another program", index));
    }
    // A stream that is removed posts them too.
    if (claim.drain() > 0 && stream.is_current()) {
      report_(fmt::format("sem:{}", index), fmt::format("semaphore {} was posted", index));
    }
  }
}

}  // namespace shmim::tools
