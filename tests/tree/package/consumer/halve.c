/* A compute unit in C: writes `half` for each frame of `cam`, until none comes for two seconds. */
#include <shmim/shmim.h>
#include <stdio.h>
#include <stdlib.h>

static int give_up(const shmim_error* error) {
  fprintf(stderr, "%s\n", error->message);
  return 1;
}

int main(void) {
  shmim_error error;
  shmim_stream* cam;
  if (shmim_open("tui16>cam", NULL, &cam, &error) != SHMIM_OK) {
    return give_up(&error);
  }
  shmim_format format;
  shmim_get_format(cam, &format);
  shmim_default_format(&format, SHMIM_FLOAT32, format.axes, format.size);
  shmim_stream* half;
  shmim_follower* frames;
  if (shmim_create("half", &format, SHMIM_IF_MISSING, NULL, &half, &error) != SHMIM_OK ||
      shmim_follow(cam, NULL, &frames, &error) != SHMIM_OK) {
    return give_up(&error);
  }

  const size_t elements = shmim_frame_bytes(cam) / sizeof(uint16_t);
  uint16_t* const in = malloc(elements * sizeof *in);
  float* const out = malloc(elements * sizeof *out);
  const int64_t patience = INT64_C(2000000000);
  shmim_frame frame;
  int end;
  while ((end = shmim_next(frames, in, elements * sizeof *in, patience, &frame, &error)) ==
         SHMIM_OK) {
    for (size_t i = 0; i < elements; ++i) {
      out[i] = (float)in[i] / 2;
    }
    /* The trace says which frame this was made of, however many have come since. */
    shmim_trigger* trigger;
    if (shmim_trigger_of(frames, &trigger, &error) != SHMIM_OK ||
        shmim_write(half, out, elements * sizeof *out, frame.atime, trigger, frame.missed, NULL,
                    &error) != SHMIM_OK) {
      return give_up(&error);
    }
    shmim_free_trigger(trigger);
  }
  free(in);
  free(out);
  shmim_unfollow(frames);
  shmim_close(half);
  shmim_close(cam);
  return end == SHMIM_TIMED_OUT ? 0 : give_up(&error);
}
