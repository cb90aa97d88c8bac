package com.atlassian.seraph.config;

public interface SecurityConfig {}
