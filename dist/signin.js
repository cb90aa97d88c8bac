var soon=r=>r.return(503),signin_default={signin:soon,callback:soon,handover:soon};export{signin_default as default};
