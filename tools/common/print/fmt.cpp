// {fmt}, compiled once for all tools. Its headers alone would have each source compile all of it
// again, which takes longer than the source; Debian has no static library of it, and a shared one
// would be loaded at each start.
#include <fmt/format-inl.h>

// What its headers declare to be here.
namespace fmt::detail {
template auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref) -> char;
template void buffer<char>::append(const char*, const char*);
}  // namespace fmt::detail
