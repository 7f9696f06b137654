import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

export interface IssueOptions {
  /** dNSName fields. Default `*`. */
  readonly dnsNames?: readonly string[]
  readonly commonName?: string
  /** Encrypts the key. */
  readonly passphrase?: string
  /** Days it is valid; negative: it was. Default 1. */
  readonly days?: number
}

/** A certificate and its key: PEM text and the files it is in. */
export interface IssuedCertificate {
  readonly certificate: string
  readonly privateKey: string
  readonly certificatePath: string
  readonly privateKeyPath: string
}

/** A publisher's certificate authority, made anew with the `openssl` command, gone when the test is over. */
export class Authority {
  readonly rootPath: string
  readonly rootCert: string
  private readonly directory = mkdtempSync(join(tmpdir(), 'lt-ca-'))
  private issued = 0

  constructor(name = 'publisher') {
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }))
    this.rootPath = this.path('root.pem')
    openssl([
      'req',
      '-x509',
      ...CURVE,
      '-nodes',
      '-days',
      '30',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.path('root.key'),
      '-out',
      this.rootPath,
    ])
    this.rootCert = readFileSync(this.rootPath, 'latin1')
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  issue({ dnsNames = ['*'], commonName = 'peer', passphrase, days = 1 }: IssueOptions = {}): IssuedCertificate {
    const id = ++this.issued
    const [certificatePath, privateKeyPath] = [this.path(`${id}.pem`), this.path(`${id}.key`)]
    const [request, extensions] = [this.path(`${id}.csr`), this.path(`${id}.ext`)]
    const secret = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`]
    openssl(['req', ...CURVE, ...secret, '-subj', `/CN=${commonName}`, '-keyout', privateKeyPath, '-out', request])
    writeFileSync(
      extensions,
      dnsNames.length === 0 ? '' : `subjectAltName=${dnsNames.map((name) => `DNS:${name}`).join(',')}`,
    )
    const signer = ['-CA', this.rootPath, '-CAkey', this.path('root.key'), '-CAcreateserial']
    openssl([
      'x509',
      '-req',
      '-in',
      request,
      ...signer,
      '-days',
      String(days),
      '-extfile',
      extensions,
      '-out',
      certificatePath,
    ])
    return {
      certificate: readFileSync(certificatePath, 'latin1'),
      privateKey: readFileSync(privateKeyPath, 'latin1'),
      certificatePath,
      privateKeyPath,
    }
  }
}

export function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
