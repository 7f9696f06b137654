import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { CreateOptions } from './commands/create.ts'
import type { DhtPublishOptions, DhtPutOptions } from './commands/dht.ts'
import type { DownloadOptions } from './commands/download.ts'
import type { ScrapeOptions } from './commands/scrape.ts'
import type { SeedOptions } from './commands/seed.ts'
import type { TrackerOptions } from './commands/tracker.ts'
import type { VerifyOptions } from './commands/verify.ts'
import type { DhtOptions } from './dht/dhtSession.ts'
import { type HostAndPort, parseHostAndPort } from './options/hostAndPort.ts'
import { parsePeer, parseSamBridge } from './options/i2pOptions.ts'
import { parseProxyUrl } from './options/proxyUrl.ts'
import { TRANSPORTS } from './options/transport.ts'
import {
  parseAddress,
  parseByteSize,
  parseDuration,
  parseInterface,
  parsePort,
  parseRate,
  parseRatio,
  parseSeconds,
  parseTrackerUrl,
  parseWebSeedUrl,
  repeated,
} from './options/values.ts'
import { openOutput } from './output/openOutput.ts'
import type { Output } from './output/output.ts'
import { terminalText } from './output/terminalText.ts'

const EXAMPLES = `
Examples:
  lt download debian.torrent -o downloads
  lt download 'magnet:?xt=urn:btih:...' -o downloads
  lt create holiday/ --tracker udp://tracker.example:6969/announce
  lt seed holiday.torrent

lt <command> --help lists the options of a command.`

const DOWNLOAD_NOTES = `
Ctrl-C saves what is needed to go on; the same command goes on.
Pieces that selected files share with others are downloaded whole, so that
parts of those files appear as well.`

/** Options of every command. */
export interface CommonOptions {
  readonly json?: boolean
  readonly debug?: boolean
}

/** Told which output a command uses and how it ended. */
export interface ProgramHost {
  outputOpened(output: Output): void
  ended(exitCode: number): void
}

/** What a command does; gives the exit code. */
type Work = (output: Output) => Promise<number>

/**
 * The command line. A command's code, and the engine with it, is loaded when the command is run: help is there at once,
 * and so is the first connection.
 */
export function createProgram(packageFile: URL, host: ProgramHost): Command {
  const run = async (options: CommonOptions, work: Work): Promise<void> => {
    const output = openOutput(options)
    host.outputOpened(output)
    host.ended(await work(output))
  }

  const program = new Command('lt')
    .description('Downloads, seeds, makes and checks torrents.')
    .version(versionIn(packageFile), '-V, --version')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    // Errors are thrown as well, and told by whoever catches them.
    .configureOutput({ writeErr: (text) => process.stderr.write(escapedLines(text)), outputError: () => {} })
  const command = (usage: string, description: string) => program.command(usage).description(description)

  common(
    transfer(
      command('download <torrent>', 'Download what a .torrent file, magnet link or URL names, then seed it')
        .option('-o, --output <dir>', 'directory for the content', '.')
        .option('--select <glob>', 'only files of this name or pattern; may be repeated', repeated(String))
        .option('--sequential', 'pieces in order')
        .option('--no-seed', 'leave as soon as the content is complete')
        .addHelpText('after', DOWNLOAD_NOTES),
    ),
  ).action((source: string, options: DownloadOptions & CommonOptions) =>
    run(options, async (output) => (await import('./commands/download.ts')).download(source, options, output)),
  )

  common(
    transfer(
      command('seed <torrent>', 'Give others content that is on this machine').option(
        '-o, --output <dir>',
        'directory the content is in',
        '.',
      ),
    ),
  ).action((source: string, options: SeedOptions & CommonOptions) =>
    run(options, async (output) => (await import('./commands/seed.ts')).seed(source, options, output)),
  )

  common(
    command('create <path>', 'Make a .torrent of a file or directory')
      .option('-o, --output <path>', 'file to write, or directory to write NAME.torrent to', '.')
      .addOption(new Option('--output-file <path>', 'the same').hideHelp())
      .option('--force', 'replace an existing file')
      .option(
        '--tracker <url>',
        'tracker; repeated: of the next tier; with commas: of the same tier',
        repeated((text) => text.split(',').map(parseTrackerUrl)),
      )
      .option('--web-seed <url>', 'web server with the content (BEP 19); may be repeated', repeated(parseWebSeedUrl))
      .option('--node <host:port>', 'DHT node to start from; may be repeated', repeated(parseHostAndPort))
      .option('--private', 'peers come from the trackers only')
      .option('--root-cert <file>', 'make it an SSL torrent: peers need certificates that this one has signed (PEM)')
      .option('--comment <text>', 'words for those who look at it')
      .option('--creator <text>', 'program it was made with (default: this one)')
      .option('--no-creator', 'do not say which program made it')
      .option('--no-date', 'do not say when it was made')
      .option('--piece-size <size>', 'bytes, or like 256KiB (default: by size)', parseByteSize)
      .option('--name <name>', 'name of the torrent (default: that of the file or directory)')
      .option('--pad', 'begin each file at a piece boundary (pad files, BEP 47)')
      .addHelpText(
        'after',
        '\nHidden files are included. Symbolic links stay links, and must lead to something inside.',
      ),
  ).action((path: string, options: CreateOptions & CommonOptions) =>
    run(options, async (output) => (await import('./commands/create.ts')).create(path, options, output)),
  )

  common(command('info <torrent>', 'Show what a .torrent file, magnet link or URL says')).action(
    (source: string, options: CommonOptions) =>
      run(options, async (output) => (await import('./commands/info.ts')).info(source, output)),
  )

  common(command('magnet <torrent>', 'Print the magnet link of a .torrent file')).action(
    (source: string, options: CommonOptions) =>
      run(options, async (output) => (await import('./commands/magnet.ts')).magnet(source, output)),
  )

  common(
    command('verify <torrent>', 'Compare files with their .torrent; exit code 0 when complete')
      .option('-o, --output <dir>', 'directory the content is in', '.')
      .option('--select <glob>', 'only files of this name or pattern; may be repeated', repeated(String)),
  ).action((source: string, options: VerifyOptions & CommonOptions) =>
    run(options, async (output) => (await import('./commands/verify.ts')).verify(source, options, output)),
  )

  common(
    command('tracker', 'Be a tracker: tell the peers of any torrent of one another, until Ctrl-C')
      .option('--port <n>', 'port for HTTP, WebSocket and UDP, 0 for any (default: 6969)', parsePort)
      .option('--host <address>', 'address to listen on; may be repeated (default: all)', repeated(parseAddress))
      .option('--interval <time>', 'between announces of a peer: seconds, or like 30m (default: 30m)', parseSeconds)
      .option('--no-http', 'do not serve HTTP')
      .option('--no-udp', 'do not serve UDP')
      .option('--ws', 'introduce WebRTC peers, as browsers are, by WebSocket (default: if ws is installed)')
      .option('--no-ws', 'do not')
      .option('--trust-proxy', 'behind a web server on this machine: believe its X-Forwarded-For'),
  ).action((options: TrackerOptions & CommonOptions) =>
    run(options, async (output) => (await import('./commands/tracker.ts')).tracker(options, output)),
  )

  common(
    proxied(
      command('scrape <torrent>', 'Ask trackers how many seeds and peers a torrent has').option(
        '--tracker <url>',
        'one more tracker; may be repeated',
        repeated(parseTrackerUrl),
      ),
    ),
  ).action((source: string, options: ScrapeOptions & CommonOptions) =>
    run(options, async (output) => (await import('./commands/scrape.ts')).scrape(source, options, output)),
  )

  addDhtCommands(command('dht', 'Read and write items of the DHT, and ask it for peers'), run)
  return program
}

function addDhtCommands(dht: Command, run: (options: CommonOptions, work: Work) => Promise<void>): void {
  const load = () => import('./commands/dht.ts')
  const command = (usage: string, description: string) => dht.command(usage).description(description)
  common(asking(command('get <item>', 'Print an item: its target, or the public key and :SALT of its owner'))).action(
    (item: string, options: DhtOptions & CommonOptions) =>
      run(options, async (output) => (await load()).dhtGet(item, options, output)),
  )
  common(
    asking(
      command('put [text]', 'Store a text of up to 996 bytes for two hours')
        .option('--file <path>', 'store the content of this file instead')
        .option('--key <path>', 'key file: the item can be changed by putting it again')
        .option('--salt <text>', 'name of the item among those of the key'),
    ),
  ).action((text: string | undefined, options: DhtPutOptions & CommonOptions) =>
    run(options, async (output) => (await load()).dhtPut(text, options, output)),
  )
  common(
    asking(
      command('publish <torrent>', 'Name a torrent as the newest version; prints the magnet link that leads to it')
        .requiredOption('--key <path>', 'key file: who has it can name another one later')
        .option('--salt <text>', 'name of what is published, if the key publishes more than one thing'),
    ),
  ).action((source: string, options: DhtPublishOptions & CommonOptions) =>
    run(options, async (output) => (await load()).dhtPublish(source, options, output)),
  )
  common(command('key <path>', 'Make a key file for lt dht put and publish')).action(
    (path: string, options: CommonOptions) => run(options, async (output) => (await load()).dhtKey(path, output)),
  )
  common(asking(command('peers <torrent>', 'Print the peers of a .torrent, magnet link or info-hash'))).action(
    (source: string, options: DhtOptions & CommonOptions) =>
      run(options, async (output) => (await load()).dhtPeers(source, options, output)),
  )
  common(
    asking(
      dht
        .command('sample')
        .argument('<host:port>', 'node to ask', parseHostAndPort)
        .description('Print info-hashes a node knows peers of'),
    ),
  ).action((node: HostAndPort, options: DhtOptions & CommonOptions) =>
    run(options, async (output) => (await load()).dhtSample(node, options, output)),
  )
}

/** Options of commands that ask the DHT. */
function asking(command: Command): Command {
  return setting(
    dhtRouter(command).option('--timeout <time>', 'give up after: seconds, or like 2m (default: 60)', parseSeconds),
  )
}

function setting(command: Command): Command {
  return command.option(
    '--set <name=value>',
    'a setting of the engine (docs/settings.md); may be repeated',
    repeated(String),
  )
}

function dhtRouter(command: Command): Command {
  return command.option(
    '--dht-router <host:port>',
    'node to find the DHT by, in place of the public ones; may be repeated',
    repeated(parseHostAndPort),
  )
}

/** Options of commands that connect to others. */
function proxied(command: Command): Command {
  return command
    .option(
      '--proxy <url>',
      'connect through a proxy: socks4, socks4a, socks5, socks5h or http://[user:password@]host:port; ' +
        'socks4a, socks5h and http look names up at the proxy',
      parseProxyUrl,
    )
    .option('--anonymous', 'tell nobody who we are; with --proxy, nothing goes past it')
    .option(
      '--i2p <host:port>',
      'SAM bridge of an I2P router, for torrents with trackers there; port 7656',
      parseSamBridge,
    )
    .option('--i2p-mixed', 'such torrents may have ordinary peers as well, and others peers in I2P')
}

/** Options of commands that speak with peers. */
function transfer(command: Command): Command {
  finding(command.optionsGroup('Where peers come from:'))
  connecting(command.optionsGroup('How they are connected to:'))
  sealing(command.optionsGroup('Encryption and certificates:'))
  return setting(
    command
      .optionsGroup('How fast:')
      .option('--limit-up <rate>', 'upload no faster than this: bytes a second, or like 500K, 2M', parseRate)
      .option('--limit-down <rate>', 'download no faster; both hold for peers of the local network, too', parseRate)
      .optionsGroup('When to stop:')
      .option('--seed-ratio <n>', 'stop seeding when n times the size was uploaded', parseRatio)
      .option('--seed-time <time>', 'stop seeding after this time: minutes, or like 30s, 2h', parseDuration)
      .optionsGroup('Everything else:'),
  )
}

function finding(command: Command): void {
  dhtRouter(
    command
      .option('--peer <host:port>', 'peer to connect to, or NAME.i2p; may be repeated', repeated(parsePeer))
      .option('--tracker <url>', 'one more tracker; may be repeated', repeated(parseTrackerUrl))
      .option('--no-dht', 'do not look for peers in the DHT'),
  ).option('--no-lsd', 'do not look for peers on the local network')
}

function connecting(command: Command): void {
  command
    .option('--port <n>', 'port for peers, 0 for any (default: the first free one from 6881)', parsePort)
    .option(
      '--interface <name>',
      'address or device, like eth0, to listen on and to connect from; may be repeated (default: all)',
      repeated(parseInterface),
    )
    .option('--no-upnp', 'do not ask UPnP routers to forward the port')
    .option('--no-natpmp', 'do not ask NAT-PMP and PCP routers to forward the port')
    .addOption(
      new Option('--transport <kind>', 'what connections to peers go over (default: both)').choices(TRANSPORTS),
    )
  proxied(command).option(
    '--ip-filter <file>',
    'list of addresses to refuse: .dat, .p2p, .p2b or CIDR, plain or gzip; may be repeated',
    repeated(String),
  )
}

function sealing(command: Command): void {
  command
    .addOption(
      new Option('--encryption <policy>', 'encrypted connections only, too, or none (default: enabled)').choices([
        'forced',
        'enabled',
        'disabled',
      ]),
    )
    .addOption(
      new Option('--encryption-level <level>', 'encrypt all, or the handshake only (default: both)').choices([
        'rc4',
        'plaintext',
        'both',
      ]),
    )
    .option('--cert <file>', 'certificate to show the peers of an SSL torrent (PEM)')
    .option('--key <file>', 'its private key (default: in the same file)')
    .option('--key-passphrase <text>', 'opens the private key')
}

/** Options of every command. */
function common(command: Command): Command {
  return command
    .option('--json', 'one JSON object a line, each with a "type"')
    .option('--debug', 'say what happens inside, with stack traces')
}

function versionIn(packageFile: URL): string {
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string }).version
}

/** Commander quotes arguments, which a script may have taken from anywhere. */
function escapedLines(text: string): string {
  return text.split('\n').map(terminalText).join('\n')
}
