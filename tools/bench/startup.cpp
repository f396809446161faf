// From the start of a tool to its exit, on a small stream. The floor is an empty program in C.

#include "bench/measure.hpp"
#include "bench/process.hpp"

namespace shmim::tools::bench {

void measure_startup(const Bench& bench) {
  Temporary temporary(bench.scratch, "small", 256);
  WriteGuard(temporary.stream()).publish();
  const std::string dir = bench.scratch.path().string();
  const auto start = [](std::vector<std::string> words) {
    return [command = Command{std::move(words)}] { return run_program(command).nanoseconds; };
  };
  const auto tool = [&](const std::string& name, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), sibling(name).string());
    arguments.insert(arguments.end(), {"--dir", dir});
    return start(std::move(arguments));
  };
  Case contest{"startup", "from start to exit", {}, 100};
  if (const auto empty = empty_program()) {
    contest.contenders.push_back({"an empty C program", start({empty->string()})});
  } else {
    contest.without_floor = "the empty C program is not installed: there is no floor";
  }
  contest.contenders.push_back({"shmim-post", tool("post", {"small"})});
  contest.contenders.push_back({"shmim-wait --cnt0 1", tool("wait", {"small", "--cnt0", "1"})});
  contest.contenders.push_back({"shmim-trace", tool("trace", {"small"})});
  contest.contenders.push_back({"shmim-rm", [&, remove = tool("rm", {"one"})] {
                                  static_cast<void>(bench.scratch.stream("one", 256));
                                  return remove();
                                }});
  contest.contenders.push_back({"shmim-connect", tool("connect", {"small"})});
  contest.contenders.push_back({"shmim-cat", tool("cat", {"small"})});
  bench.run(contest);
}

}  // namespace shmim::tools::bench
