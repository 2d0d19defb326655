import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";

/** PEM files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of its own, in a folder of its own. */
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

  /** A certificate for "DNS:shop.test" or "IP:127.0.0.1". */
  issue(name: string, subjectAltName: string): Certificate {
    const extensions = ["basicConstraints=critical,CA:FALSE", `subjectAltName=${subjectAltName}`];
    return this.#create(name, extensions, ["-CA", this.certFile, "-CAkey", this.keyFile]);
  }

  #create(name: string, extensions: readonly string[], signedBy: readonly string[]): Certificate {
    const files = { certFile: path.join(this.#folder, `${name}.pem`), keyFile: path.join(this.#folder, `${name}.key`) };
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", files.keyFile];
    const what = ["-x509", "-days", "2", "-subj", `/CN=${name}`, "-out", files.certFile, ...signedBy];
    const added = extensions.flatMap((extension) => ["-addext", extension]);
    // No configuration file: whatever the machine's adds would stand in the certificate twice.
    execFileSync("openssl", ["req", "-config", "/dev/null", ...key, ...what, ...added], { stdio: "pipe" });
    return files;
  }
}
