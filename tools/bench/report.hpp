#pragma once

#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "common/print/json.hpp"

namespace shmim::tools::bench {

/// `534 us`, `1.25 ms`, `110 ns`; `8.00 MiB`
std::string quantity(double value, Unit unit);

/// A table for people: the last column is the ratio to the floor.
std::string to_table(const std::vector<Row>& rows);

/// The same for programs: numbers in nanoseconds or bytes, null where there is no ratio.
Record to_record(const Row& row);
std::string to_json_line(const Row& row);
std::string csv_header();
std::string to_csv_line(const Row& row);

}  // namespace shmim::tools::bench
