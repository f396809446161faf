# Run by CPack: Debian's zsh looks for a package's completions in a folder of its own.
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/shmim/usr/share)
file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
