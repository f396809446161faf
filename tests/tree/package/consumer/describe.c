/* Lists the streams there are, each with its keywords and what led to its newest frame. */
#include <inttypes.h>
#include <shmim/shmim.h>
#include <stdio.h>

static void describe(shmim_stream* stream) {
  shmim_format format;
  shmim_frame frame;
  shmim_get_format(stream, &format);
  shmim_newest(stream, &frame);
  printf("%s %s", shmim_name(stream), shmim_type_name(format.type));
  for (uint32_t axis = 0; axis < format.axes; ++axis) {
    printf("%c%" PRIu32, axis == 0 ? ' ' : 'x', format.size[axis]);
  }
  printf(" frame %" PRIu64 "\n", frame.cnt0);

  shmim_keyword keywords[100];
  size_t count;
  if (shmim_keywords(stream, keywords, 100, &count, NULL) == SHMIM_OK) {
    for (size_t i = 0; i < count && i < 100; ++i) {
      const shmim_keyword* k = &keywords[i];
      switch (k->kind) {
        case 'L':
          printf("  %s = %" PRId64 "\n", k->name, k->integer);
          break;
        case 'D':
          printf("  %s = %g\n", k->name, k->real);
          break;
        default:
          printf("  %s = '%s'\n", k->name, k->string);
          break;
      }
    }
  }
  shmim_step steps[10];
  if (shmim_trace(stream, steps, 10, &count, NULL) == SHMIM_OK && count > 1) {
    printf("  made of frame %" PRIu64 "\n", steps[0].cnt0);
  }
}

int main(void) {
  shmim_error error;
  char** names;
  if (shmim_list(NULL, NULL, &names, &error) != SHMIM_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  for (char** name = names; *name != NULL; ++name) {
    shmim_stream* stream;
    if (shmim_open(*name, NULL, &stream, &error) == SHMIM_OK) {
      describe(stream);
      shmim_close(stream);
    } else {
      printf("%s\n", error.message);
    }
  }
  shmim_free_names(names);
  return 0;
}
