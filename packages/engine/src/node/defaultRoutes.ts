import { readFile } from 'node:fs/promises'
import { addressToBytes, bytesToAddress, normalizeAddress } from '../address/addressBytes.ts'
import { isLocal, isLoopback } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'
import { sameSubnet } from '../address/subnet.ts'
import type { DefaultRoute, NetworkInterface } from '../platform/localNetwork.ts'

/** How long a program that prints the routes may take. */
const COMMAND_TIMEOUT_MS = 3000

/**
 * The IPv4 default routes: from the kernel's table on Linux, by `netstat` or `route` elsewhere. Where none of these can
 * be read, such as on Android, each private network's first address is a good guess.
 */
export async function defaultRoutes(interfaces: readonly NetworkInterface[]): Promise<readonly DefaultRoute[]> {
  try {
    if (process.platform === 'linux') return parseProcRoutes(await readFile('/proc/net/route', 'latin1'))
    if (process.platform === 'win32') return parseWindowsRoutes(await output('route', ['print', '-4', '0.0.0.0']))
    return parseNetstatRoutes(await output('netstat', ['-rn', '-f', 'inet']))
  } catch {
    return guessedRoutes(interfaces)
  }
}

const ROUTE_UP = 0x1
const ROUTE_GATEWAY = 0x2

/** Linux's `/proc/net/route`: addresses are hexadecimal numbers of this machine's byte order. */
export function parseProcRoutes(table: string, littleEndian = isLittleEndian()): readonly DefaultRoute[] {
  const routes: { route: DefaultRoute; metric: number }[] = []
  for (const line of table.split('\n').slice(1)) {
    const [interfaceName, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/)
    if (mask !== '00000000' || destination !== '00000000' || !/^[0-9a-f]{8}$/i.test(gateway)) continue
    const wanted = ROUTE_UP | ROUTE_GATEWAY
    if ((Number.parseInt(flags, 16) & wanted) !== wanted) continue
    const bytes = Buffer.from(gateway, 'hex')
    const address = bytesToAddress(littleEndian ? bytes.reverse() : bytes)
    routes.push({ route: { interfaceName, gateway: address }, metric: Number(metric) })
  }
  return routes.sort((a, b) => a.metric - b.metric).map(({ route }) => route)
}

/** macOS and the BSDs: `default  192.168.1.1  UGScg  en0`, of which the interface is not always the fourth word. */
export function parseNetstatRoutes(text: string): readonly DefaultRoute[] {
  return text.split('\n').flatMap((line) => {
    const [destination, gateway, flags, ...more] = line.trim().split(/\s+/)
    if ((destination !== 'default' && destination !== '0.0.0.0') || !flags?.includes('G')) return []
    const address = normalizeAddress(gateway)
    const interfaceName = more.find((word) => /^[a-z][a-z0-9_.-]*\d+$/i.test(word)) ?? null
    return address === null ? [] : [{ interfaceName, gateway: address }]
  })
}

/** Windows: `0.0.0.0  0.0.0.0  192.168.1.1  192.168.1.17  25`, interfaces by their address. */
export function parseWindowsRoutes(text: string): readonly DefaultRoute[] {
  return text.split('\n').flatMap((line) => {
    const [destination, mask, gateway] = line.trim().split(/\s+/)
    if (destination !== '0.0.0.0' || mask !== '0.0.0.0') return []
    const address = normalizeAddress(gateway)
    return address === null ? [] : [{ interfaceName: null, gateway: address }]
  })
}

/** The first address of each private network, unless it is our own. */
export function guessedRoutes(interfaces: readonly NetworkInterface[]): readonly DefaultRoute[] {
  return interfaces.flatMap(({ name, address, prefixLength }) => {
    if (isV6(address) || isLoopback(address) || !isLocal(address) || prefixLength < 8 || prefixLength > 30) return []
    const bytes = addressToBytes(address)
    if (bytes === null) return []
    for (let bit = prefixLength; bit < 32; bit++) bytes[bit >> 3] &= ~(0x80 >> (bit & 7))
    bytes[3] |= 1
    const gateway = bytesToAddress(bytes)
    return gateway === address || !sameSubnet(gateway, address, prefixLength) ? [] : [{ interfaceName: name, gateway }]
  })
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: 1024 * 1024, windowsHide: true }
    execFile(command, args, options, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  })
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
}
