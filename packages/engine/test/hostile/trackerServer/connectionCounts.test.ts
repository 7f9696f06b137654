import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { ConnectionCounts } from '../../../src/node/connectionCounts.ts'

const connection = (remoteAddress: string) => {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    isDestroyed: false,
    destroy: () => {
      socket.isDestroyed = true
      socket.emit('close')
    },
  })
  return socket
}

test.each([
  ['an address', ['9.1.1.1', '9.1.1.1', '9.1.1.1', '9.1.1.2'], [false, false, true, false]],
  [
    'a network of IPv6',
    ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:ffff::', '2001:db8:1:3::1'],
    [false, false, true, false],
  ],
  ['this machine', ['::1', '::1', '127.0.0.1', '127.0.0.1', '127.0.0.1'], [false, false, false, false, false]],
])('%s has so many connections and no more', (_, addresses, refused) => {
  const counts = new ConnectionCounts({ maxConnections: 100, maxConnectionsPerIp: 2, trustsProxy: false })
  const admit = (address: string) => {
    const socket = connection(address)
    counts.admit(socket as unknown as Socket)
    return socket
  }
  const sockets = addresses.map(admit)
  expect(sockets.map(({ isDestroyed }) => isDestroyed)).toEqual(refused)
  sockets[0].destroy()
  expect(admit(addresses[0]).isDestroyed).toBe(false)
})
