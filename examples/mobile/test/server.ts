// The real server, examples/local, for the tests.
import { spawn, type ChildProcess } from 'node:child_process';
import { after } from 'node:test';
import { session } from './phone';

let server: ChildProcess | undefined;
after(() => void server?.kill());

/** Starts the server that the environment names until the tests of this file end, and returns its address. */
export async function startServer(): Promise<string> {
  const program = process.env['LOCAL_SERVER'];
  if (!program) {
    throw new Error('LOCAL_SERVER is not set: to run the tests, use `go test ./mobile` in examples');
  }
  const started = spawn(program, ['-addr', '127.0.0.1:0', '-db', 'memory'], { stdio: ['ignore', 'pipe', 'ignore'] });
  server = started;
  let text = '';
  for await (const chunk of started.stdout) {
    text += String(chunk);
    const url = /http:\/\/[0-9.]+:[0-9]+/.exec(text);
    if (url && text.includes('Ctrl-C')) {
      return url[0];
    }
  }
  throw new Error(`the server did not start: ${text}`);
}

/** The active devices of a user, as the server lists them. */
export async function devices(baseUrl: string, user: string): Promise<string[]> {
  const response = await fetch(`${baseUrl}/v1/device-tokens`, {
    headers: { Authorization: `Bearer ${await session(user).credential()}` },
  });
  const list = (await response.json()) as { deviceTokens: { deviceId: string }[] };
  return list.deviceTokens.map((d) => d.deviceId);
}
