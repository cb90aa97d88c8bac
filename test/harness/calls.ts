import { Client, credentials, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Target } from './http.ts';
import { callAdmin, Echo, startService } from './services.ts';
import type { Stage } from './stage.ts';

/** Starts test/services/calls.ts: gRPC on port 50051, HTTP/2 on port 8082. */
export async function startCalls(stage: Stage, alias: string): Promise<Echo> {
  return new Echo(await startService(stage, 'calls', { alias, env: { NAME: alias } }));
}

/** Releases waiting streams; returns their number. */
export async function releaseStreams(calls: Echo): Promise<number> {
  return (await callAdmin(calls.box, 'POST', '/release')).released;
}

const entire = (bytes: Buffer): Buffer => bytes;

/** The result of a call: the message, or gRPC's status and its text. */
export type Called = { readonly message: string } | { readonly code: string; readonly details: string };

/** A client of gRPC, as grpc-js makes one. */
export function callClient(target: Target): Client {
  const trust = target.tls ? credentials.createSsl(Buffer.from(target.ca ?? '')) : credentials.createInsecure();
  return new Client(`${target.host}:${target.port}`, trust, {
    'grpc.default_authority': target.name,
    ...(target.tls && { 'grpc.ssl_target_name_override': target.name }),
    'grpc.enable_retries': 0,
  });
}

/** One message in each direction. */
export function callUnary(client: Client, path: string, message: string, metadata: Metadata): Promise<Called> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      entire,
      entire,
      Buffer.from(message),
      metadata,
      (error: ServiceError | null, answer) => {
        if (error === null) resolve({ message: (answer as Buffer).toString() });
        else resolve({ code: status[error.code] as string, details: error.details });
      },
    );
  });
}

/** One message there, any number back. */
export function callStream(client: Client, path: string, message: string, metadata: Metadata) {
  return client.makeServerStreamRequest(path, entire, entire, Buffer.from(message), metadata);
}
