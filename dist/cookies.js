var OWN_PREFIX="__Host-(?:Http-)?meshgate",OWN=new RegExp(`(?:^|,)[\\x00-\\x20=]*${OWN_PREFIX}`,"i"),withoutOwn=lines=>lines.filter(line=>!OWN.test(line));function kept(r){let lines=r.headersOut["Set-Cookie"];return lines!==void 0&&(r.headersOut["Set-Cookie"]=[],r.headersOut["Set-Cookie"]=withoutOwn(lines)),r.variables.meshgate_set_cookie??""}var CLOSED=`HTTP/1.1 502 Bad Gateway\r
Content-Length: 0\r
Connection: close\r
\r
`;function ended(r){let{variables}=r;return ngx.log(ngx.ERR,`meshgate: ${variables.meshgate_service??""} answered with the status ${variables.status??""}`),r.status=502,r.httpVersion==="0.9"&&variables.server_protocol?.startsWith("HTTP/1")&&r.send(CLOSED),"meshgate; error=http_protocol_error"}var cookies_default={kept,ended};export{cookies_default as default};
