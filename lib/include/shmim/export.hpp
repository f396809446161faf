#pragma once

/// Marks what a shared build of the library shows to programs that link it; all else is hidden.
#define SHMIM_EXPORT __attribute__((visibility("default")))
