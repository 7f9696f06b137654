import { expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { NodeUdp } from '../../../src/node/nodeUdp.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'
import { afterThisTest } from './servers.ts'

async function bind(onPacket: (packet: Uint8Array, from: Endpoint) => void = () => {}): Promise<UdpSocket> {
  const local = { address: '127.0.0.1', port: 0 }
  const socket = await new Promise<UdpSocket | LibtorrentError>((resolve) => {
    new NodeUdp().bind(local, { onPacket, onError: (error) => expect.unreachable(error.message) }, resolve)
  })
  if (socket instanceof LibtorrentError) throw socket
  afterThisTest(() => socket.close())
  return socket
}

test('a packet the system refuses to send is reported, and the socket goes on', async () => {
  const arrived: string[] = []
  const receiver = await bind((packet) => arrived.push(Buffer.from(packet).toString()))
  const sender = await bind()
  // Longer than any datagram.
  const error = await new Promise<LibtorrentError>((resolve) => {
    sender.send(new Uint8Array(70_000), receiver.local, resolve)
  })
  expect(error).toMatchObject({ code: 'EMSGSIZE', category: 'system', operation: 'socketWrite' })
  sender.send(Buffer.from('hello'), receiver.local, (refusal) => expect.unreachable(refusal.message))
  await expect.poll(() => arrived).toEqual(['hello'])
})
