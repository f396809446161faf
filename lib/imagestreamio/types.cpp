// What the codes of the data types stand for.

#include <array>

#include "imagestreamio/image.hpp"

namespace {

using shmim::DataType;
using shmim::imagestreamio::report;

struct Type {
  DataType type;
  const char* name;
  const char* seven;
  const char* four;
  DataType real;   ///< to compute with
  int fitsio;      ///< TBYTE and so on, of cfitsio; -1 none
  int fitsio_img;  ///< BYTE_IMG and so on
};

constexpr std::array types{
    Type{DataType::uint8, "UINT8", "UINT8  ", " UI8", DataType::float32, 11, 8},
    Type{DataType::int8, "INT8", "INT8   ", "  I8", DataType::float32, 12, 10},
    Type{DataType::uint16, "UINT16", "UINT16 ", "UI16", DataType::float32, 20, 20},
    Type{DataType::int16, "INT16", "INT16  ", " I16", DataType::float32, 21, 16},
    Type{DataType::uint32, "UINT32", "UINT32 ", "UI32", DataType::float32, 30, 40},
    Type{DataType::int32, "INT32", "INT32  ", " I32", DataType::float32, 31, 32},
    Type{DataType::uint64, "UINT64", "UINT64 ", "UI64", DataType::float64, 40, 80},
    Type{DataType::int64, "INT64", "INT64  ", " I64", DataType::float64, 41, 64},
    Type{DataType::float32, "FLT32", "FLOAT  ", " FLT", DataType::float32, 42, -32},
    Type{DataType::float64, "FLT64", "DOUBLE ", " DBL", DataType::float64, 82, -64},
    Type{DataType::complex64, "CPLX32", "CFLOAT ", "CFLT", DataType::complex64, -1, -1},
    Type{DataType::complex128, "CPLX64", "CDOUBLE", "CDBL", DataType::complex128, -1, -1},
    Type{DataType::float16, "FLT16", "FLT16  ", " F16", DataType::float16, -1, -1},
};

/// The codes count from 1.
const Type* type_of(uint8_t code) noexcept {
  return code >= 1 && code <= types.size() ? &types[code - 1U] : nullptr;
}
static_assert([] {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (static_cast<std::size_t>(types[i].type) != i + 1) {
      return false;
    }
  }
  return true;
}());

/// -1, which is no value of these functions, is reported.
int value_or_report(int value, const char* what) noexcept {
  if (value == -1) {
    report(IMAGESTREAMIO_INVALIDARG, what);
  }
  return value;
}

}  // namespace

int ImageStreamIO_typesize(uint8_t atype) {
  const auto size = static_cast<int>(shmim::element_size(static_cast<DataType>(atype)));
  return value_or_report(size == 0 ? -1 : size, "no such data type");
}

const char* ImageStreamIO_typename(uint8_t datatype) {
  const Type* type = type_of(datatype);
  return type == nullptr ? "unknown" : type->name;
}

const char* ImageStreamIO_typename_7(uint8_t datatype) {
  const Type* type = type_of(datatype);
  return type == nullptr ? "unknown" : type->seven;
}

const char* ImageStreamIO_typename_short(uint8_t datatype) {
  const Type* type = type_of(datatype);
  return type == nullptr ? " ???" : type->four;
}

int ImageStreamIO_checktype(uint8_t datatype, int complex_allowed) {
  const Type* type = type_of(datatype);
  if (type == nullptr) {
    return value_or_report(-1, "no such data type");
  }
  const bool is_complex = type->type == DataType::complex64 || type->type == DataType::complex128;
  return is_complex && complex_allowed == 0 ? -1 : 0;
}

int ImageStreamIO_floattype(uint8_t datatype) {
  const Type* type = type_of(datatype);
  return value_or_report(type == nullptr ? -1 : static_cast<int>(type->real), "no such data type");
}

int ImageStreamIO_FITSIOdatatype(uint8_t datatype) {
  const Type* type = type_of(datatype);
  return value_or_report(type == nullptr ? -1 : type->fitsio, "FITS has no such data type");
}

int ImageStreamIO_FITSIObitpix(uint8_t atype) {
  const Type* type = type_of(atype);
  return value_or_report(type == nullptr ? -1 : type->fitsio_img, "FITS has no such data type");
}
