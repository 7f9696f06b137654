import { addressToBytes, bytesToAddress } from '../src/address/addressBytes.ts'
import type { Endpoint } from '../src/address/endpoint.ts'
import type { UdpHandler, UdpSocket } from '../src/platform/udp.ts'
import { readU16, readU32, toHex, writeU16, writeU32 } from '../src/util/bytes.ts'
import type { SimRouter } from './simRouter.ts'

/** The NAT-PMP and PCP server of a simulated router, written after the RFCs and not after our client. */
export class SimNatpmp implements UdpHandler {
  socket: UdpSocket | null = null

  constructor(private readonly router: SimRouter) {}

  onError(): void {}

  onPacket(packet: Uint8Array, from: Endpoint): void {
    if (!this.router.on) return
    const answer = this.answer(packet, from.address)
    if (answer !== null) this.socket?.send(answer, from)
  }

  private answer(packet: Uint8Array, client: string): Uint8Array | null {
    const { speaks = ['pcp', 'natpmp'], dropsUnknownVersions } = this.router.options
    if (packet[0] === 0 && speaks.includes('natpmp')) return this.natpmp(packet, client)
    if (packet[0] === 2 && speaks.includes('pcp')) return this.pcp(packet, client)
    if (dropsUnknownVersions) return null
    if (speaks.includes('natpmp')) {
      const refusal = new Uint8Array(8)
      refusal[1] = 0x80 | packet[1]
      refusal[3] = 1
      writeU32(refusal, 4, this.router.epoch)
      return refusal
    }
    return this.pcpHeader(packet, 1, 0, 24)
  }

  private natpmp(packet: Uint8Array, client: string): Uint8Array | null {
    const { router } = this
    const result = router.options.result ?? 0
    if (packet[1] === 0) {
      router.requests.push('natpmp address')
      const answer = new Uint8Array(12)
      answer[1] = 0x80
      writeU16(answer, 2, result)
      writeU32(answer, 4, router.epoch)
      answer.set(addressToBytes(router.externalAddress) ?? [], 8)
      return answer
    }
    if (packet.length !== 12 || packet[1] > 2) return null
    const protocol = packet[1] === 1 ? 'udp' : 'tcp'
    const localPort = readU16(packet, 4)
    const lifetime = readU32(packet, 8)
    let externalPort = readU16(packet, 6)
    if (lifetime === 0) {
      router.requests.push(`natpmp unmap ${protocol} ${localPort}`)
      for (const each of router.mappings) {
        if (each.client === client && each.protocol === protocol && each.localPort === localPort) {
          router.remove(protocol, each.externalPort)
        }
      }
      externalPort = 0
    } else {
      router.requests.push(`natpmp map ${protocol} ${externalPort}`)
      while (!router.isFree(protocol, externalPort, client, localPort)) externalPort++
      if (result === 0) {
        router.put({ protocol, externalPort, client, localPort, description: '', lifetime, nonce: '' })
      }
    }
    const answer = new Uint8Array(16)
    answer[1] = 0x80 | packet[1]
    writeU16(answer, 2, result)
    writeU32(answer, 4, router.epoch)
    writeU16(answer, 8, localPort)
    writeU16(answer, 10, externalPort)
    writeU32(answer, 12, lifetime)
    return answer
  }

  private pcp(packet: Uint8Array, client: string): Uint8Array | null {
    const { router } = this
    if (packet.length < 60 || packet[1] !== 1) return this.pcpHeader(packet, 4, 1800, packet.length)
    if (bytesToAddress(packet.subarray(8, 24)) !== client) return this.pcpHeader(packet, 12, 1800, packet.length)
    const result = router.options.result ?? 0
    const lifetime = readU32(packet, 4)
    const nonce = toHex(packet.subarray(24, 36))
    const protocol = packet[36] === 6 ? 'tcp' : 'udp'
    const localPort = readU16(packet, 40)
    let externalPort = readU16(packet, 42)
    const mine = router.mappings.find(
      (each) => each.client === client && each.protocol === protocol && each.localPort === localPort,
    )
    if (mine !== undefined && mine.nonce !== nonce) return this.pcpHeader(packet, 2, 1800, packet.length)
    if (lifetime === 0) {
      router.requests.push(`pcp unmap ${protocol} ${localPort}`)
      if (mine !== undefined) router.remove(protocol, mine.externalPort)
    } else {
      router.requests.push(`pcp map ${protocol} ${externalPort}`)
      externalPort = mine?.externalPort ?? externalPort
      while (!router.isFree(protocol, externalPort, client, localPort)) externalPort++
      if (result === 0) router.put({ protocol, externalPort, client, localPort, description: '', lifetime, nonce })
    }
    const answer = this.pcpHeader(packet, result, result === 0 ? lifetime : 600, 60)
    answer.set(packet.subarray(24, 60), 24)
    writeU16(answer, 42, externalPort)
    answer.fill(0, 44, 54)
    answer.fill(0xff, 54, 56)
    answer.set(addressToBytes(router.externalAddress) ?? [], 56)
    return answer
  }

  private pcpHeader(packet: Uint8Array, result: number, lifetime: number, size: number): Uint8Array {
    const answer = new Uint8Array(size)
    answer.set(packet.subarray(0, size))
    answer[0] = 2
    answer[1] = 0x80 | packet[1]
    answer[2] = 0
    answer[3] = result
    writeU32(answer, 4, lifetime)
    writeU32(answer, 8, this.router.epoch)
    answer.fill(0, 12, 24)
    return answer
  }
}

/** What a router sends to all hosts when it was switched on. */
export function natpmpAnnouncement(router: SimRouter): Uint8Array {
  const packet = new Uint8Array(12)
  packet[1] = 0x80
  writeU32(packet, 4, router.epoch)
  packet.set(addressToBytes(router.externalAddress) ?? [], 8)
  return packet
}
