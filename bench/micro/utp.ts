/**
 * uTP over real loopback sockets, ours to ours, in two processes: bytes and packets a second, and processor time of a
 * packet on either side, everything counted (Node, the kernel, the acks).
 * Run: npx tsx bench/micro/utp.ts [seconds] [--ethernet]   (--ethernet: packets no larger than Ethernet's)
 */
import { fork } from 'node:child_process'
import { NodeRandom } from '../../packages/engine/src/node/nodeRandom.ts'
import { NodeClock, NodeTimers } from '../../packages/engine/src/node/nodeTime.ts'
import { NodeUdp } from '../../packages/engine/src/node/nodeUdp.ts'
import type { Stream } from '../../packages/engine/src/platform/tcp.ts'
import type { UdpSocket } from '../../packages/engine/src/platform/udp.ts'
import { defaultUtpSettings } from '../../packages/engine/src/utp/utpSettings.ts'
import { UtpSockets } from '../../packages/engine/src/utp/utpSockets.ts'

const BLOCK = new Uint8Array(16 * 1024)
const AHEAD_BYTES = 512 * 1024
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
const isReceiver = process.argv.includes('--receiver')
const settings = { ...defaultUtpSettings, utpDynamicSockBuf: !process.argv.includes('--ethernet') }

function open(onUtpAccept: (stream: Stream) => void, done: (utp: UtpSockets, port: number) => void): void {
  const local = { address: '127.0.0.1', port: 0 }
  let socket: UdpSocket | null = null
  const utp = new UtpSockets({
    clock: new NodeClock(),
    timers: new NodeTimers(),
    random: new NodeRandom(),
    settings,
    local,
    send: (packet, to) => socket?.send(packet, to),
    onUtpAccept,
    onFault: (cause) => console.error(cause),
  })
  const handler = {
    onPacket: (packet: Uint8Array, from: { address: string; port: number }) => {
      utp.incoming(packet, from)
    },
    onError: (error: Error) => console.error(error),
  }
  new NodeUdp(SOCKET_BUFFER_BYTES).bind(local, handler, (result) => {
    if ('code' in result) throw result
    socket = result
    done(utp, result.local.port)
  })
}

/** Processor time of this process, microseconds. */
function cpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

interface Report {
  readonly received: number
  readonly cpu: number
}

function receive(): void {
  let received = 0
  const onData = (chunk: Uint8Array) => {
    received += chunk.length
  }
  open(
    (stream) => stream.setHandler({ onConnected() {}, onData, onDrain() {}, onClosed() {} }),
    (_, port) => process.send?.({ port }),
  )
  process.on('message', () => process.send?.({ received, cpu: cpu() }))
}

function send(): void {
  const seconds = Number(process.argv[2] ?? 5) || 5
  const child = fork(process.argv[1], [...process.argv.slice(2), '--receiver'], { execArgv: process.execArgv })
  const answer = <T>() => new Promise<T>((resolve) => child.once('message', (message) => resolve(message as T)))
  open(
    () => {},
    async (utp) => {
      const { port } = await answer<{ port: number }>()
      const feed = () => {
        while (stream.unsentBytes < AHEAD_BYTES) stream.write(BLOCK, feedAgain)
      }
      const feedAgain = () => {
        if (stream.unsentBytes < AHEAD_BYTES / 2) feed()
      }
      const handler = { onConnected: feed, onData() {}, onDrain() {}, onClosed: (error: unknown) => console.log(error) }
      const stream = utp.connect({ address: '127.0.0.1', port }, handler)
      let before: Report = { received: 0, cpu: 0 }
      let own = cpu()
      let packets = 0
      for (let i = 0; i < seconds; i++) {
        const begin = performance.now()
        await new Promise((resolve) => setTimeout(resolve, 1000))
        child.send('report')
        const now = await answer<Report>()
        const took = performance.now() - begin
        const sent = utp.counters.packetsOut - packets
        console.log(
          `${((now.received - before.received) / took / 1000).toFixed(0)} MB/s, ` +
            `${Math.round((sent / took) * 1000)} packets/s of ${Math.round((now.received - before.received) / sent)} bytes; ` +
            `sender ${((cpu() - own) / sent).toFixed(1)} us a packet, ` +
            `receiver ${((now.cpu - before.cpu) / sent).toFixed(1)}; lost ${utp.counters.packetLoss}`,
        )
        before = now
        own = cpu()
        packets = utp.counters.packetsOut
      }
      child.kill()
      process.exit()
    },
  )
}

if (isReceiver) receive()
else send()
