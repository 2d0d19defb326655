import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";

/** The PEM files of a certificate and its private key. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A new certificate authority. It creates the folder and keeps its files there. */
export class Authority implements Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly #folder: string;

  constructor(folder: string) {
    mkdirSync(folder);
    this.#folder = folder;
    const constraints = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
    ({ certFile: this.certFile, keyFile: this.keyFile } = this.#create("ca", constraints, []));
  }

  /** Issues a certificate. The alternative names are in OpenSSL's notation: "DNS:shop.test", "IP:127.0.0.1". */
  issue(name: string, subjectAltName: string): Certificate {
    const extensions = ["basicConstraints=critical,CA:FALSE", `subjectAltName=${subjectAltName}`];
    return this.#create(name, extensions, ["-CA", this.certFile, "-CAkey", this.keyFile]);
  }

  #create(name: string, extensions: readonly string[], signedBy: readonly string[]): Certificate {
    const files = { certFile: path.join(this.#folder, `${name}.pem`), keyFile: path.join(this.#folder, `${name}.key`) };
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", files.keyFile];
    const what = ["-x509", "-days", "2", "-subj", `/CN=${name}`, "-out", files.certFile, ...signedBy];
    const added = extensions.flatMap((extension) => ["-addext", extension]);
    // Without the machine's configuration file: extensions that it adds would be in the certificate twice.
    execFileSync("openssl", ["req", "-config", "/dev/null", ...key, ...what, ...added], { stdio: "pipe" });
    return files;
  }
}
