#include "common/app/tool.hpp"

int main(int argc, char** argv) {
  return shmim::tools::run(*shmim::tools::registrations(), argc, argv);
}
