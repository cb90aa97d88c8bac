/** Answers a browser. If it has closed its connection, `r.return` throws. The error is ignored, because the answer is
 * no longer needed. */
export function send(r: NginxHTTPRequest, status: number, body: string): void {
  try {
    r.return(status, body);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: a browser is not answered: ${(error as Error).message}`);
  }
}
