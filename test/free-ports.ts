/** Ports of this machine for services that tests start side by side. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface ReservedPort {
  port: number;
  release(): void;
}

/** Below those that the kernel gives to outgoing connections. */
const lowest = 12_000;
const highest = 31_999;

/**
 * A free port that no other test is given until it is released or this process ends: a service is seconds in starting,
 * and another one must not answer in its place. The kernel keeps it: the UDP port of the same number is held meanwhile.
 */
export async function reservePort(): Promise<ReservedPort> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    const held = await hold(port);
    if (!held) continue;
    if (await isFree(port)) return { port, release: () => held.close() };
    held.close();
  }
}

async function hold(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4').unref();
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  try {
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
