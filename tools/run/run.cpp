// shmim-run: a command as a compute unit: each frame of one stream in, its answer out to another.

#include <limits>

#include "common/app/tool.hpp"
#include "common/io/scheduling.hpp"
#include "run/compute_unit.hpp"

namespace shmim::tools {
namespace {

class Run final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("IN", wanted_.in, "stream whose frames are given; takes @S: @E:, a slice")
        .required();
    options.positional("OUT", wanted_.out,
                       "stream that the answers go to; without it there are none, and what the "
                       "command writes is our output");
    options.command("COMMAND", wanted_.command, "command that is given a frame at a time");
    options.text("--exec", "COMMAND", wanted_.exec,
                 "run this in a shell for each frame anew, with SHMIM_NAME, SHMIM_CNT0, "
                 "SHMIM_ATIME... set");
    options
        .text("--as", "FORMAT", wanted_.language,
              "frames are given and answered as raw pixels (the default), text, npy or frames")
        .one_of({"raw", "text", "npy", "frames"});
    options.flag("--every", wanted_.every,
                 "every frame, from the circular buffer (default: the newest)");
    options.text("-T,--type", "TYPE", wanted_.type,
                 "data type of OUT, which is made if it is missing");
    options.text("--size", "SIZE", wanted_.size,
                 "length of each axis of OUT, which is made if it is missing");
    options.texts("--with", "REF", wanted_.with,
                  "streams, apart by commas, whose newest frames are files that SHMIM_WITH_NAME "
                  "names; may be repeated");
    options.flag("--no-keywords", wanted_.no_keywords, "leave out the keywords of IN");
    options.duration("-t,--timeout", wanted_.timeout, "give up when no answer comes for so long");
    options
        .text("--restart", "WHEN", wanted_.restart,
              "start the command again: never (the default), on-failure or always")
        .one_of({"never", "on-failure", "always"});
    options.number("-n", "N", wanted_.count, "end after N answers", above_zero);
    options.duration("--for", wanted_.whole, "end after this time, whatever comes");
    options.duration("--stats", wanted_.interval, "say so often how it goes (always: at the end)");
    options.text("--cpu", "A,B", processors_, "run on processor A, and the command on B");
    options.number("--rt-prio", "N", wanted_.priority, "run with real-time priority N (SCHED_FIFO)",
                   {1, 99});
    options.ready_fd();
  }

  Exit run(const Context& context) override;

 private:
  Wanted wanted_;
  std::string processors_;
};

Exit Run::run(const Context& context) {
  if (wanted_.command.empty() == wanted_.exec.empty()) {
    throw UsageError(wanted_.command.empty()
                         ? "COMMAND is missing: write it behind --, or --exec COMMAND"
                         : "--exec excludes a COMMAND behind --");
  }
  wanted_.processors = parse_processors(processors_);
  if (!wanted_.processors.empty()) {
    run_on_processor(wanted_.processors.front());
  }
  if (wanted_.priority) {
    take_realtime_priority(*wanted_.priority);
  }
  return run_compute_unit(context, wanted_);
}

const Registration run_registration("run", "run a command on each frame, and publish its answers",
                                    {"SE", true},
                                    {.missing = "shmim-ls", .similar = "shmim-run {}"}, make<Run>,
                                    {"shmim-run cam dm -- ./reconstruct",
                                     "shmim-run cam --exec 'echo \"$SHMIM_CNT0 $SHMIM_ATIME\"'"});

}  // namespace
}  // namespace shmim::tools
