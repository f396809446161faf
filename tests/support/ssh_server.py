"""ssh_server.py DIRECTORY: an ssh server of one user on a port of its own, for the tests that need another host.

Makes the keys in DIRECTORY and a configuration for ssh, `config`, that knows the server as `host`; then runs
each command that comes in a shell, with this process' environment. An sshd would have to be installed, and run,
on the machine of whoever runs the tests.
"""

import asyncio
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")  # asyncssh names ciphers that cryptography warns of

import asyncssh


async def run(process):
    child = await asyncio.create_subprocess_shell(
        process.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.redirect(child.stdin, child.stdout, child.stderr)
    hung_up = asyncio.ensure_future(process.channel.wait_closed())
    ended = asyncio.ensure_future(child.wait())
    await asyncio.wait({hung_up, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        child.terminate()
    status = await ended
    if not hung_up.done():
        await process.stdout.drain()
        process.exit(status if status >= 0 else 128 - status)


class Server(asyncssh.SSHServer):
    """One that lets connections through to wherever its user asks for."""

    def connection_requested(self, *_):
        return True

    def unix_connection_requested(self, *_):
        return True


async def serve(directory):
    for name in "server", "user":
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(directory / name)
        (directory / name).chmod(0o600)
        key.write_public_key(directory / f"{name}.pub")
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[str(directory / "server")],
        authorized_client_keys=str(directory / "user.pub"),
        process_factory=run,
        encoding=None,
    )
    port = server.sockets[0].getsockname()[1]
    (directory / "known").write_text(f"[127.0.0.1]:{port} {(directory / 'server.pub').read_text()}")
    config = directory / "config.new"
    config.write_text(
        f"""Host host
  HostName 127.0.0.1
  Port {port}
  IdentityFile {directory / "user"}
  IdentitiesOnly yes
  UserKnownHostsFile {directory / "known"}
  GlobalKnownHostsFile /dev/null
  BatchMode yes
"""
    )
    config.rename(directory / "config")
    await asyncio.Event().wait()


asyncio.run(serve(pathlib.Path(sys.argv[1])))
