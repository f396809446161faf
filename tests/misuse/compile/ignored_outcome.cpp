// error: nodiscard
#include <shmim/shmim.hpp>

void use();
void use() {
#ifdef RIGHT
  const auto connection = shmim::connect(shmim::parse_reference("cam"), {});
  static_cast<void>(connection);
#else
  shmim::connect(shmim::parse_reference("cam"), {});
#endif
}
