package com.atlassian.seraph.auth;

import java.security.Principal;
import javax.servlet.http.HttpServletRequest;

public interface RoleMapper {
    boolean canLogin(Principal user, HttpServletRequest request);
}
