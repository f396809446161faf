// shmim-faults: hostile peers and sudden deaths, and what must hold all the same. See README.md.

#include <cstdio>
#include <cstdlib>
#include <exception>

#include <CLI/CLI.hpp>

#include "harness.hpp"

using namespace shmim::faults;

namespace {

struct Commands {
  TornOptions torn;
  OrderOptions order;
  CrowdOptions crowds;
  DeathOptions deaths;
  RecorderOptions recordings;
  SoakOptions soak;
  PeerOptions peer;
};

int run(int argc, char** argv) {
  CLI::App app("hostile peers and sudden deaths, and what must hold all the same", "shmim-faults");
  app.require_subcommand(1);
  app.add_option("--tools", tools_directory(), "where the shmim-* programs are")->required();
  Commands options;
  const auto command = [&app](const char* name, const char* what, const std::function<int()>& job) {
    CLI::App* subcommand = app.add_subcommand(name, what);
    subcommand->final_callback([job] { throw CLI::RuntimeError(job()); });
    return subcommand;
  };
  auto* torn_command = command("torn", "frames read beside writers of every kind and speed",
                               [&] { return torn(options.torn); });
  torn_command->add_option("--frames", options.torn.frames, "to read in each cell");
  torn_command->add_option("--seconds", options.torn.seconds, "at most so long in each cell");
  auto* order_command =
      command("order", "whoever is woken sees the frame", [&] { return order(options.order); });
  order_command->add_option("--rounds", options.order.rounds, "frames");
  auto* crowds_command =
      command("crowds", "many processes want one thing", [&] { return crowds(options.crowds); });
  crowds_command->add_option("--rounds", options.crowds.rounds, "of each contest");
  crowds_command->add_option("--processes", options.crowds.processes, "in the crowd");
  auto* deaths_command =
      command("deaths", "kill -9 at every step", [&] { return deaths(options.deaths); });
  deaths_command->add_option("--stride", options.deaths.stride, "of the steps, every so many");
  deaths_command->add_option("--only", options.deaths.only, "scenarios whose name holds this");
  deaths_command->add_flag("--calls-only", options.deaths.calls_only,
                           "at system calls, not between them");
  auto* recordings_command =
      command("recordings", "kill -9 of a recorder, of the repair, and of the compression",
              [&] { return recordings(options.recordings); });
  recordings_command->add_option("--stride", options.recordings.stride,
                                 "of the steps, every so many");
  auto* soak_command = command("soak", "all of it at random", [&] { return soak(options.soak); });
  soak_command->add_option("MINUTES", options.soak.minutes, "how long")->type_name("");
  soak_command->add_option("--seed", options.soak.seed, "of the random numbers");
  auto* peer_command =
      command("peer", "one peer, for a script", [&] { return peer(options.peer); });
  peer_command
      ->add_option(
          "ROLE", options.peer.role,
          "create, create-halfway, write, hold, claim, record, record-full, record-types, repair, "
          "compress, compress-types")
      ->required()
      ->type_name("");
  peer_command->add_option("PATH", options.peer.path, "the stream's file")
      ->required()
      ->type_name("");
  peer_command->add_option("--size", options.peer.size, "of a stream to create");
  peer_command->add_option("--frames", options.peer.frames, "to write, or semaphores to claim");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fputs(error.what(), stderr));
    return EXIT_FAILURE;
  }
}
