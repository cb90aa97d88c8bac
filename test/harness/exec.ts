import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { getContainerRuntimeClient } from 'testcontainers';

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in a running container. The library's own `exec` decodes each part of a stream by itself, which breaks
 * a character that two parts share.
 *
 * @param id of the container
 * @param user name or number; absent: the container's
 */
export async function execIn(id: string, command: readonly string[], user?: string): Promise<ExecResult> {
  const { container } = await getContainerRuntimeClient();
  const raw = container.getById(id);
  const process = await raw.exec({
    Cmd: [...command],
    AttachStdout: true,
    AttachStderr: true,
    ...(user !== undefined && { User: user }),
  });
  const stream = await process.start({ Detach: false, Tty: false });
  const [out, err] = [new PassThrough(), new PassThrough()];
  raw.modem.demuxStream(stream, out, err);
  const end = (error?: Error) => {
    for (const side of [out, err]) error === undefined ? side.end() : side.destroy(error);
  };
  stream.on('end', () => end());
  stream.on('error', end);
  const [stdout, stderr] = await Promise.all([text(out), text(err)]);
  return { exitCode: (await process.inspect()).ExitCode ?? -1, stdout, stderr };
}
