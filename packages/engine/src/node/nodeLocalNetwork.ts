import dgram from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { normalizeAddress } from '../address/addressBytes.ts'
import { isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { DefaultRoute, LocalNetwork, MulticastOptions, NetworkInterface } from '../platform/localNetwork.ts'
import type { UdpHandler, UdpSocket } from '../platform/udp.ts'
import { defaultRoutes } from './defaultRoutes.ts'

/** The machine's interfaces, routes and multicast sockets. */
export class NodeLocalNetwork implements LocalNetwork {
  interfaces(): readonly NetworkInterface[] {
    const found: NetworkInterface[] = []
    for (const [name, addresses] of Object.entries(systemInterfaces())) {
      for (const { address, cidr } of addresses ?? []) {
        const canonical = normalizeAddress(address)
        const prefixLength = Number(cidr?.split('/')[1])
        if (canonical !== null && Number.isInteger(prefixLength)) found.push({ name, address: canonical, prefixLength })
      }
    }
    return found
  }

  defaultRoutes(done: (routes: readonly DefaultRoute[]) => void): void {
    void defaultRoutes(this.interfaces()).then(done)
  }

  bindMulticast(
    options: MulticastOptions,
    handler: UdpHandler,
    done: (result: UdpSocket | LibtorrentError) => void,
  ): void {
    const { networkInterface, group, port } = options
    const v6 = isV6(networkInterface.address)
    const socket = dgram.createSocket({ type: v6 ? 'udp6' : 'udp4', ipv6Only: v6, reuseAddr: group !== null })
    let open = true
    const close = () => {
      if (!open) return
      open = false
      socket.close()
    }
    const fail = (cause: unknown) => {
      if (!open) return
      close()
      done(systemError(cause, { operation: 'listen' }))
    }
    socket.once('error', fail)
    const address = group === null ? networkInterface.address : v6 ? '::' : '0.0.0.0'
    // Not shared between processes of a cluster: each has its own handlers.
    socket.bind({ address, port, exclusive: true }, () => {
      try {
        configure(socket, options)
      } catch (cause) {
        return fail(cause)
      }
      socket.removeListener('error', fail)
      socket.on('error', (cause) => {
        close()
        handler.onError(systemError(cause, { operation: 'socketRead' }))
      })
      const local = socket.address()
      done({
        local: { address: local.address, port: local.port },
        send: (packet, to) => {
          if (open) socket.send(Buffer.from(packet), to.port, to.address, () => {})
        },
        close,
      })
    })
    socket.on('message', (packet, from) => {
      if (open) handler.onPacket(packet, { address: normalizeAddress(from.address) ?? from.address, port: from.port })
    })
  }
}

function configure(socket: dgram.Socket, { networkInterface, group, ttl, broadcast }: MulticastOptions): void {
  const device = interfaceText(networkInterface)
  socket.setMulticastInterface(device)
  socket.setMulticastTTL(ttl)
  socket.setMulticastLoopback(true)
  if (broadcast) socket.setBroadcast(true)
  if (group !== null) socket.addMembership(group, device)
}

/** How Node wants an interface named: IPv4 by its address, IPv6 by its zone. */
function interfaceText({ name, address }: NetworkInterface): string {
  if (!isV6(address)) return address
  if (process.platform !== 'win32') return `::%${name}`
  const zone = systemInterfaces()[name]?.find((each) => each.family === 'IPv6')
  return `::%${zone?.family === 'IPv6' ? zone.scopeid : name}`
}

function systemInterfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces()
  } catch {
    // Some systems, such as Android, do not tell.
    return {}
  }
}
