#pragma once

#include <string>
#include <vector>

namespace shmim::tools {

/// What exec takes: to each of the words, which must outlive it, and a null.
inline std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace shmim::tools
