import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Requirement } from '../cases/interopCase.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { OwnedProcess } from '../lib/processes.ts'

export const CLIENT_ADDRESS = '192.168.77.2'
export const ROUTER_ADDRESS = '192.168.77.1'
export const EXTERNAL_ADDRESS = '11.22.33.44'

/** Linux's network namespaces, which take root, and miniupnpd, a router's UPnP, NAT-PMP and PCP. */
export const homeNetworkNeeds: Requirement = {
  name: 'a home network',
  async missing() {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root on Linux'
    for (const program of ['ip', 'nft', 'miniupnpd']) if (findProgram(program) === null) return program
    return canMakeNetworks() ? null : 'network namespaces'
  },
  async install() {
    aptInstall('iproute2', 'nftables', 'miniupnpd', 'miniupnpd-nftables')
  },
}

function canMakeNetworks(): boolean {
  const name = `lt-probe-${process.pid}`
  const steps = [`netns add ${name}`, `-n ${name} link add ltp0 type veth peer name ltp1`]
  const works = steps.every((step) => spawnSync('ip', step.split(' ')).status === 0)
  const nft = spawnSync('ip', [
    'netns',
    'exec',
    name,
    'nft',
    'add table inet probe; add chain inet probe c { type nat hook prerouting priority -100; }',
  ])
  spawnSync('ip', ['netns', 'del', name])
  return works && nft.status === 0
}

const RULES = `
flush ruleset
table inet filter {
  chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
`

let count = 0

/**
 * Three machines, each a network namespace: a client at home, its router, which forwards by nftables and runs miniupnpd,
 * and somebody out in the world.
 */
export class HomeNetwork {
  readonly client: string
  readonly router: string
  readonly world: string
  private daemon: OwnedProcess | null = null

  private constructor(private readonly directory: string) {
    const id = `lt${process.pid}-${++count}`
    this.client = `${id}-client`
    this.router = `${id}-router`
    this.world = `${id}-world`
  }

  static start(directory: string): HomeNetwork {
    const network = new HomeNetwork(directory)
    try {
      network.build()
    } catch (error) {
      network.remove()
      throw error
    }
    return network
  }

  /** The command line that runs `command` on a machine. */
  on(machine: string, command: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', machine, ...command]
  }

  /** What `nft` shows of the router's forwards, such as `tcp 6881 -> 192.168.77.2:6881`, sorted. */
  forwards(): readonly string[] {
    const rules = run(this.on(this.router, ['nft', 'list', 'chain', 'inet', 'filter', 'prerouting_miniupnpd']))
    // Older versions of nft print the protocol as a byte of the header, 6 or 17.
    return [...rules.matchAll(/(0x6|0x11|tcp|udp) (?:th )?dport (\d+) dnat ip to ([\d.]+:\d+)/g)]
      .map(([, protocol, port, to]) => `${protocol === '0x6' || protocol === 'tcp' ? 'tcp' : 'udp'} ${port} -> ${to}`)
      .sort()
  }

  startRouter(options: readonly string[] = []): void {
    run(this.on(this.router, ['nft', '-f', '-']), RULES)
    const configuration = join(this.directory, 'miniupnpd.conf')
    const lines = [
      'ext_ifname=outside',
      'listening_ip=inside',
      'http_port=5555',
      'enable_natpmp=yes',
      'enable_upnp=yes',
      'min_lifetime=20',
      'max_lifetime=86400',
      'secure_mode=yes',
      'system_uptime=no',
      'uuid=ae7c0267-ef2b-4feb-a273-07a49c0ecccc',
      'allow 1024-65535 192.168.77.0/24 1024-65535',
      'deny 0-65535 0.0.0.0/0 0-65535',
      ...options,
    ]
    writeFileSync(configuration, `${lines.join('\n')}\n`)
    const command = ['miniupnpd', '-d', '-f', configuration, '-P', join(this.directory, 'miniupnpd.pid')]
    this.daemon = OwnedProcess.start('miniupnpd', this.on(this.router, command), {
      log: join(this.directory, 'miniupnpd.log'),
    })
  }

  /** The router loses power: it takes no leave, and forgets everything. */
  async crashRouter(): Promise<void> {
    await this.daemon?.kill()
    run(this.on(this.router, ['nft', '-f', '-']), RULES)
  }

  async stop(): Promise<void> {
    await this.daemon?.kill()
    this.remove()
  }

  private build(): void {
    for (const name of [this.client, this.router, this.world]) {
      ip(`netns add ${name}`)
      ip(`-n ${name} link set lo up`)
    }
    ip(`link add inside netns ${this.router} type veth peer name eth0 netns ${this.client}`)
    ip(`link add outside netns ${this.router} type veth peer name eth0 netns ${this.world}`)
    const addresses = [
      [this.client, 'eth0', CLIENT_ADDRESS],
      [this.router, 'inside', ROUTER_ADDRESS],
      [this.router, 'outside', EXTERNAL_ADDRESS],
      [this.world, 'eth0', '11.22.33.1'],
    ]
    for (const [name, device, address] of addresses) {
      ip(`-n ${name} addr add ${address}/24 dev ${device}`)
      ip(`-n ${name} link set ${device} up`)
    }
    ip(`-n ${this.client} route add default via ${ROUTER_ADDRESS}`)
    ip(`-n ${this.router} route add default via 11.22.33.1`)
    run(this.on(this.router, ['sysctl', '-qw', 'net.ipv4.ip_forward=1']))
  }

  private remove(): void {
    for (const name of [this.client, this.router, this.world]) spawnSync('ip', ['netns', 'del', name])
  }
}

function ip(command: string): void {
  run(['ip', ...command.split(' ')])
}

function run([program, ...args]: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}
