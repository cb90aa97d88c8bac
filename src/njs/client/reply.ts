/** Answers the check. It may have given up: then `r.return` throws, and nobody is there to be told. */
export function reply(r: NginxHTTPRequest, status: number, text = ''): void {
  try {
    r.return(status, text);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: a question is not answered: ${(error as Error).message}`);
  }
}
