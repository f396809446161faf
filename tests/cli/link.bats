# shmim-link: gives a stream another name.

load helpers

target_of() { readlink "$(stream_file "$1")"; }

@test "a relative link, by which the stream is found" {
  make cam 2
  check 0 '' '' -- shmim-link wfs cam
  compare target "$(target_of wfs)" cam.im.shm
  check 0 '0 0' '' -- shmim-cat wfs
  mv "$SHM" "$SHM.moved"
  check 0 '0 0' '' -- shmim-cat wfs -d "$SHM.moved"
  mv "$SHM.moved" "$SHM"
}

@test "a link is turned to another stream, one that leads there already is kept" {
  make cam1 2
  make cam2 2
  check 0 '' 'shmim-link: wfs: linked to cam1' -- shmim-link wfs cam1 -v
  check 0 '' 'shmim-link: wfs: changed, and leads now to cam2' -- shmim-link wfs cam2 -v
  compare target "$(target_of wfs)" cam2.im.shm
  check 0 '' 'shmim-link: wfs: leads already to cam2' -- shmim-link wfs cam2 -v
  compare listing "$(listing)" 'cam1.im.shm
cam2.im.shm
wfs.im.shm'
}

@test "a stream is never replaced" {
  make cam 2
  make dm 2
  cp "$(stream_file dm)" before
  check 4 '' "shmim-link: $(stream_file dm): is not a link, and is left alone" -- shmim-link dm cam
  cmp before "$(stream_file dm)"
  [[ ! -L $(stream_file dm) ]]
}

@test "the conf directory names the target where it is left out" {
  make cam 2
  echo ' cam ' >conf/streamlink.wfs.name.txt
  check 0 '' '' -- shmim-link wfs
  compare target "$(target_of wfs)" cam.im.shm
  check 3 '' 'shmim-link: dm: no target is given, and there is no conf/streamlink.dm.name.txt' -- \
    shmim-link dm
  mkdir other
  echo @E:none >other/streamlink.dm.name.txt
  check 3 '' '~ shmim-link: none: *' -- shmim-link dm --conf other
  : >conf/streamlink.dm.name.txt
  check 1 '' 'shmim-link: conf/streamlink.dm.name.txt: cannot read the name of a stream from it' -- \
    shmim-link dm
  echo >conf/streamlink.dm.name.txt
  check 1 '' 'shmim-link: conf/streamlink.dm.name.txt: its first line is to name a stream, and is empty' -- \
    shmim-link dm
  echo ../etc >conf/streamlink.dm.name.txt
  check 2 '' '~ shmim-link: ../etc: *' -- shmim-link dm
}

@test "a target that is not there is noted, or refused with @E:" {
  check 0 '' '~ shmim-link: cam: is not a stream yet: *' -- shmim-link wfs cam
  compare target "$(target_of wfs)" cam.im.shm
  check 0 '' '' -- shmim-link -q wfs cam
  check 3 '' '~ shmim-link: dm: *' -- shmim-link act @E:dm
  [[ ! -L $(stream_file act) ]]
}

@test "@N: nothing may be there, @E: something must, and a type is a demand" {
  make 'tui8>cam' 2
  check 3 '' 'shmim-link: wfs: there is no such link' -- shmim-link @E:wfs cam
  check 0 '' '' -- shmim-link @N:wfs cam
  check 4 '' 'shmim-link: wfs: is there already' -- shmim-link @N:wfs cam
  check 0 '' '' -- shmim-link @E:wfs cam
  check 5 '' '~ shmim-link: cam: type is uint8, not float32*' -- shmim-link wfs 'tf32>cam'
}

@test "a link to itself is refused" {
  check 2 '' '~ shmim-link: wfs: cannot be a link to itself*' -- shmim-link wfs wfs
  compare listing "$(listing)" ''
}

@test "whoever follows the link goes over to the new stream" {
  make cam1 2
  make cam2 2
  shmim-link wfs cam1
  start_ready w shmim-wait wfs -t 20s
  shmim-link wfs cam2
  shmim-post cam2 --update
  finish w 0 1 ''
}

@test "links that would lead in a circle are refused, and a type in the link's own name" {
  make big 4
  shmim-link one big
  shmim-link two one
  check 2 '' "shmim-link: one: cannot be a link to what leads to it
Try 'shmim-link --help' for more information." -- shmim-link one two
  check 0 '~ *' '' -- shmim-cat two
  check 2 '' "shmim-link: tui8>three: a link has the type of its target
Try 'shmim-link --help' for more information." -- shmim-link 'tui8>three' big
}
