#include "common/app/tool.hpp"

// NOLINTNEXTLINE(bugprone-exception-escape): an error in telling an error has nobody to hear it
int main(int argc, char** argv) {
  return shmim::tools::run(*shmim::tools::registrations(), argc, argv);
}
