import { fileURLToPath } from 'node:url'
import type { InteropCase, Stage } from '../cases/interopCase.ts'
import { libtorrent, PYTHON } from '../clients/libtorrent.ts'
import { numberField, stringField } from '../lib/fields.ts'
import { LineDaemon } from '../lib/lineDaemon.ts'
import { delay, waitUntil } from '../lib/wait.ts'
import { CLIENT_ADDRESS, EXTERNAL_ADDRESS, HomeNetwork, homeNetworkNeeds, ROUTER_ADDRESS } from './homeNetwork.ts'

const WAIT_MS = 15_000

/** The shortest lease that is renewed before it ends: nothing is renewed within 30 seconds. */
const SHORT_LEASE = 45

const KINDS = [
  { name: 'UPnP (IGD 2)', start: 'startUpnp', options: [] },
  { name: 'UPnP (IGD 1)', start: 'startUpnp', options: ['force_igd_desc_v1=yes'] },
  { name: 'PCP', start: 'startNatpmp', options: [] },
] as const
type Kind = (typeof KINDS)[number]

/** Our port mapper before a real router, miniupnpd, and our local discovery beside libtorrent. */
export function portmapCases(): InteropCase[] {
  const needs = [homeNetworkNeeds]
  return [
    ...KINDS.map((kind) => ({
      name: `router: ${kind.name} maps, forwards, renews and takes back`,
      needs,
      run: (stage: Stage) => mapAndRenew(stage, kind),
    })),
    { name: 'router: both ways at once', needs, run: bothWays },
    { name: 'router: a restart of a PCP router is noticed', needs, run: restart },
    { name: 'router: none', needs, run: noRouter },
    { name: 'local discovery: libtorrent and we hear each other', needs: [...needs, libtorrent], run: hearEachOther },
  ]
}

async function mapAndRenew(stage: Stage, { start, options }: Kind): Promise<undefined> {
  const { network, daemon } = await home(stage, options)
  await daemon.request('add', { protocol: 'tcp', port: 6881 })
  const { index } = await daemon.request('add', { protocol: 'udp', port: 6882 })
  await daemon.request(start)
  const { fields } = await daemon.event('mapped', WAIT_MS)
  if (numberField(fields, 'externalPort') !== 6881 || stringField(fields, 'externalAddress') !== EXTERNAL_ADDRESS) {
    throw new Error(`mapped as ${JSON.stringify(fields)}`)
  }
  const both = [`tcp 6881 -> ${CLIENT_ADDRESS}:6881`, `udp 6882 -> ${CLIENT_ADDRESS}:6882`]
  await expectForwards(network, both)
  const greeting = await greetingFromOutside(stage, network, 6881)
  if (greeting !== 'hello from home') throw new Error(`from outside: '${greeting}'`)
  await delay((SHORT_LEASE + 2) * 1000)
  await expectForwards(network, both)
  await daemon.request('remove', { index })
  await expectForwards(network, both.slice(0, 1))
  await daemon.request('stop')
  await expectForwards(network, [])
  return undefined
}

async function bothWays(stage: Stage): Promise<undefined> {
  const { network, daemon } = await home(stage)
  await daemon.request('add', { protocol: 'tcp', port: 6881 })
  await daemon.request('startUpnp')
  await daemon.request('startNatpmp')
  const mappings = () => daemon.events.filter(({ name }) => name === 'mapped')
  await waitUntil(WAIT_MS, 'two mappings', () => mappings().length === 2)
  await daemon.request('stop')
  await expectForwards(network, [])
  return undefined
}

async function restart(stage: Stage): Promise<undefined> {
  const { network, daemon } = await home(stage)
  await daemon.request('add', { protocol: 'tcp', port: 6881 })
  await daemon.request('startNatpmp')
  const forward = [`tcp 6881 -> ${CLIENT_ADDRESS}:6881`]
  await expectForwards(network, forward)
  // So that its clock is seen to go back.
  await delay(5000)
  await network.crashRouter()
  await expectForwards(network, [])
  network.startRouter()
  await expectForwards(network, forward)
  await daemon.request('stop')
  return undefined
}

async function noRouter(stage: Stage): Promise<undefined> {
  const network = stage.own(HomeNetwork.start(stage.directory))
  const daemon = await startDaemon(stage, network)
  await daemon.request('add', { protocol: 'tcp', port: 6881 })
  await daemon.request('startUpnp')
  await daemon.request('startNatpmp')
  await delay(1000)
  const begin = performance.now()
  await daemon.request('stop')
  if (performance.now() - begin > 3500) throw new Error('stopping took more than three seconds')
  if (daemon.events.some(({ name }) => name === 'mapped')) throw new Error('mapped by nobody')
  return undefined
}

async function hearEachOther(stage: Stage): Promise<undefined> {
  const network = stage.own(HomeNetwork.start(stage.directory))
  const daemon = await startDaemon(stage, network)
  const infoHash = '0123456789abcdef0123456789abcdef01234567'
  const script = fileURLToPath(new URL('./lsdPeer.py', import.meta.url))
  const command = network.on(network.router, [PYTHON, script, ROUTER_ADDRESS, '6900', infoHash])
  await daemon.request('announce', { infoHash })
  await daemon.request('startLsd')
  const other = await LineDaemon.start('libtorrent', command, { log: `${stage.directory}/libtorrent.log` })
  stage.own({ stop: () => other.process.kill() })
  const { fields } = await daemon.event('peer', WAIT_MS)
  const heard = [stringField(fields, 'infoHash'), stringField(fields, 'address'), numberField(fields, 'port')].join(' ')
  if (heard !== `${infoHash} ${ROUTER_ADDRESS} 6900`) throw new Error(`we heard of ${heard}`)
  // Ours may have been lost to one who was not there yet: the copies are 2 and 6 seconds later.
  const message = stringField((await other.event('heard', WAIT_MS)).fields, 'message')
  if (!message.includes(`${CLIENT_ADDRESS}:6881`)) throw new Error(`libtorrent heard: ${message}`)
  return undefined
}

async function home(stage: Stage, options: readonly string[] = []) {
  const network = stage.own(HomeNetwork.start(stage.directory))
  network.startRouter(options)
  return { network, daemon: await startDaemon(stage, network) }
}

async function startDaemon(stage: Stage, network: HomeNetwork): Promise<LineDaemon> {
  const script = fileURLToPath(new URL('./localNetworkDaemon.ts', import.meta.url))
  const command = network.on(network.client, [process.execPath, '--import', 'tsx', script])
  const log = `${stage.directory}/daemon.log`
  const daemon = await LineDaemon.start('our daemon', command, { log, env: { LEASE: String(SHORT_LEASE) } })
  stage.own({ stop: () => daemon.process.kill() })
  return daemon
}

async function expectForwards(network: HomeNetwork, expected: readonly string[]): Promise<void> {
  const same = () => network.forwards().join() === expected.join()
  await waitUntil(WAIT_MS, `forwards ${expected}`, same, 200).catch((error) => {
    throw new Error(`${error.message}; they are ${network.forwards()}`)
  })
}

/** What somebody in the world reads who connects to the router's `port`, while a program at home greets there. */
async function greetingFromOutside(stage: Stage, network: HomeNetwork, port: number): Promise<string> {
  const server = `require('node:net').createServer((s) => s.end('hello from home')).listen(${port}, () => console.log('{"event":"ready"}'))`
  const greeter = await LineDaemon.start('greeter', network.on(network.client, [process.execPath, '-e', server]), {
    log: `${stage.directory}/greeter.log`,
  })
  const visit = `require('node:net').connect(${port}, '${EXTERNAL_ADDRESS}').on('data', (d) => console.log(JSON.stringify({ event: 'ready' }), '\\n' + JSON.stringify({ event: 'greeting', text: String(d) })))`
  const visitor = await LineDaemon.start('visitor', network.on(network.world, [process.execPath, '-e', visit]), {
    log: `${stage.directory}/visitor.log`,
  })
  try {
    return stringField((await visitor.event('greeting', WAIT_MS)).fields, 'text')
  } finally {
    await Promise.all([greeter.process.kill(), visitor.process.kill()])
  }
}
