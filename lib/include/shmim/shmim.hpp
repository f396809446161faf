#pragma once

// Everything but FITS (shmim/fits.hpp), which is a library of its own.

#include "shmim/circular_buffer.hpp"
#include "shmim/clock.hpp"
#include "shmim/directory.hpp"
#include "shmim/error.hpp"
#include "shmim/float16.hpp"
#include "shmim/follow.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/layout.hpp"
#include "shmim/process.hpp"
#include "shmim/reference.hpp"
#include "shmim/resolve.hpp"
#include "shmim/segment.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/slice.hpp"
#include "shmim/stream.hpp"
#include "shmim/trace.hpp"
#include "shmim/write.hpp"
