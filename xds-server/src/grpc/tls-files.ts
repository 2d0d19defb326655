import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";

/** The PEM files for mutual TLS: the server's certificate and key, and the authority that signs the proxies' certificates. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** The content of the `TlsFiles`. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

/** Reads the files. Rejects when a file cannot be read, or when the key does not match the certificate. */
export async function readTls({ certFile, keyFile, caFile }: TlsFiles): Promise<TlsMaterial> {
  const material: TlsMaterial = { cert: await pem(certFile), key: await pem(keyFile), ca: await pem(caFile) };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new Error(
      `Cannot serve discovery over TLS: "${certFile}", "${keyFile}" and "${caFile}" do not match: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return material;
}

export interface WatchTlsOptions {
  readonly everyMs: number;
  readonly log: Logger;
  readonly renewed: (material: TlsMaterial) => void;
}

/**
 * Reads the files at an interval and calls `renewed` when they changed, until the returned function is called. A fault is
 * logged once, and the files are read again: between the writes of a certificate and its key they do not match.
 */
export function watchTls(files: TlsFiles, first: TlsMaterial, { everyMs, log, renewed }: WatchTlsOptions): () => void {
  let current = first;
  let fault = "";
  let timer = setTimeout(check, everyMs);
  let isClosed = false;
  async function check(): Promise<void> {
    try {
      const read = await readTls(files);
      if (isClosed) return;
      fault = "";
      if (isSame(read, current)) return;
      current = read;
      renewed(read);
      log.info({ certificate: files.certFile }, "the certificate for discovery was renewed");
    } catch (error) {
      if (messageOf(error) !== fault)
        log.error({ err: error }, "cannot renew the certificate for discovery; the old one stays in use");
      fault = messageOf(error);
    } finally {
      if (!isClosed) timer = setTimeout(check, everyMs);
    }
  }
  return () => {
    isClosed = true;
    clearTimeout(timer);
  };
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && a.ca.equals(b.ca);
}

async function pem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`Cannot serve discovery over TLS: "${file}" cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
